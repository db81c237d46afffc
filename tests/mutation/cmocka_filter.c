/* Preloaded into a program of unit tests: plays only the one that MUTANT_TEST names, or with MUTANT_LIST
 * prints all. */
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

typedef int group_runner(const char *, const struct CMUnitTest *, size_t, CMFixtureFunction,
                         CMFixtureFunction);

int _cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t count,
                            CMFixtureFunction setup, CMFixtureFunction teardown)
{
    const char *only = getenv("MUTANT_TEST");
    if (getenv("MUTANT_LIST") != NULL) {
        for (size_t i = 0; i < count; i++) {
            (void)printf("MUTANT_LIST %s\n", tests[i].name);
        }
        return 0;
    }
    if (only != NULL) {
        cmocka_set_test_filter(only);
    }
    group_runner *run;
    *(void **)&run = dlsym(RTLD_NEXT, "_cmocka_run_group_tests");
    return run(name, tests, count, setup, teardown);
}
