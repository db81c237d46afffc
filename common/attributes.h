/* Compiler attributes under names that say what we want of them. */
#pragma once

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(format_index, first_argument)                                                            \
    __attribute__((format(printf, format_index, first_argument)))
#define NORETURN __attribute__((noreturn))

/* Calls `destroy(&variable)` when the variable leaves its scope. `destroy` takes a pointer to the
 * variable's own type and tolerates what the variable holds before it is filled. */
#define SCOPED(destroy) __attribute__((cleanup(destroy)))
