/* Compiler attributes under names that state their purpose. */
#pragma once

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(format_index, first_argument)                                                            \
    __attribute__((format(printf, format_index, first_argument)))
#define NORETURN __attribute__((noreturn))
#define NOINLINE __attribute__((noinline))

/* Calls `destroy(&variable)` when the variable goes out of scope. `destroy` takes a pointer to the variable's
 * own type and must accept the value that the variable has before it is set. */
#define SCOPED(destroy) __attribute__((cleanup(destroy)))
