/* A list of findings. */
#include "cli/doctor/findings.h"

#include "common/compose.h"

#include <assert.h>
#include <stdarg.h>

void findings_add(struct findings *findings, enum finding_level level, const char *check, const char *format,
                  ...)
{
    assert(findings->count < FINDINGS_MOST);
    struct finding *finding = &findings->items[findings->count++];
    va_list arguments;
    *finding = (struct finding){.level = level, .check = check};
    va_start(arguments, format);
    compose_list(finding->text, sizeof finding->text, format, arguments);
    va_end(arguments);
}

void findings_advise(struct findings *findings, const char *format, ...)
{
    assert(findings->count > 0);
    struct finding *finding = &findings->items[findings->count - 1];
    va_list arguments;
    va_start(arguments, format);
    compose_list(finding->advice, sizeof finding->advice, format, arguments);
    va_end(arguments);
}

size_t findings_count(const struct findings *findings, enum finding_level level)
{
    size_t count = 0;
    for (size_t i = 0; i < findings->count; i++) {
        count += findings->items[i].level == level;
    }
    return count;
}

const char *finding_level_name(enum finding_level level)
{
    static const char *const names[FINDING_LEVELS] = {
        [FINDING_OK] = "ok", [FINDING_WARN] = "warn", [FINDING_FAIL] = "fail"};
    return names[level];
}
