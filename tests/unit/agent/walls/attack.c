/* A child with walls for each attack. */
#include "tests/unit/agent/walls/attack.h"

#include "agent/walls/walls.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define NO_WALLS 99
#define PATIENCE_S 20

char attack_own[64];
char attack_foreign[64];
char attack_secret[80];
static char root[32];

void attack_set_up(void)
{
    (void)snprintf(root, sizeof root, "/tmp/taXXXXXX");
    assert_non_null(mkdtemp(root));
    (void)snprintf(attack_own, sizeof attack_own, "%s/own", root);
    (void)snprintf(attack_foreign, sizeof attack_foreign, "%s/foreign", root);
    (void)snprintf(attack_secret, sizeof attack_secret, "%s/secret", attack_foreign);
    assert_int_equal(mkdir(attack_own, 0700), 0);
    assert_int_equal(mkdir(attack_foreign, 0700), 0);
    int file = open(attack_secret, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_int_equal(write(file, "secret", 6), 6);
    (void)close(file);
}

/* Nothing outside of its own folder has changed. */
void attack_tear_down(void)
{
    char command[128];
    struct stat status;

    assert_int_equal(stat(attack_secret, &status), 0);
    assert_int_equal(status.st_size, 6);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(unlink(attack_secret), 0);
    assert_int_equal(rmdir(attack_foreign), 0);
    (void)snprintf(command, sizeof command, "rm -rf %s", root);
    assert_int_equal(system(command), 0);
}

static int attack_from(int (*attack)(void), bool is_browser)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        const struct walls walls = {.writable = attack_own};
        struct walls_standing standing;
        struct error error;
        (void)alarm(PATIENCE_S);
        bool stands = is_browser ? walls_raise_for_browser(&walls, &error)
                                 : walls_raise_for_scripts(&walls, &standing, &error);
        if (!stands) {
            (void)fprintf(stderr, "%s\n", error.text);
        }
        _exit(stands ? attack() : NO_WALLS);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_not_equal(WEXITSTATUS(status), NO_WALLS);
    return WEXITSTATUS(status);
}

int attack_from_scripts(int (*attack)(void))
{
    return attack_from(attack, false);
}

int attack_from_browser(int (*attack)(void))
{
    return attack_from(attack, true);
}

int attack_expect(const char *what, long result, int expected)
{
    if (result < 0 && errno == expected) {
        return 0;
    }
    (void)fprintf(stderr, "%s: %s\n", what, result < 0 ? strerror(errno) : "it succeeded");
    return result < 0 ? 2 : 1;
}
