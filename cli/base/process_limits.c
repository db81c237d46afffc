/* Checks the resource limits of this process. */
#include "cli/base/process_limits.h"

#include "common/digits.h"
#include "common/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdalign.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KIB ((size_t)1024)
#define STACK_MIN_BYTES (512 * KIB)
#define STACK_USUAL_BYTES (8192 * KIB)
/* In addition to the stacks of the threads. */
#define MEMORY_MIN_BYTES (64 * 1024 * KIB)
/* Size of a single probe: the stack of a thread and its surroundings. */
#define PROBE_BYTES (2 * STACK_USUAL_BYTES)
#define PROBE_STACK_BYTES 16384

static bool memory_is_there(size_t size)
{
    void *place = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return place != MAP_FAILED && munmap(place, size) == 0;
}

static int process_limits_end_thread(void *context)
{
    (void)context;
    (void)syscall(SYS_exit, 0);
    return 0;
}

/* Runs in a signal handler, so without the C library's threads, which need memory and locks. */
static bool thread_is_there(void)
{
    static alignas(16) uint8_t stack[PROBE_STACK_BYTES];
    int result =
        clone(process_limits_end_thread, stack + sizeof stack,
              CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM, NULL);
    return result >= 0 || errno != EAGAIN;
}

/* Runs in a signal handler. NULL if no known limit is reached. */
static const char *reached_limit(void)
{
    static const char FILES[] = "tutti: out of file descriptors (ulimit -n)\n";
    static const char MEMORY[] = "tutti: out of memory (ulimit -v)\n";
    static const char THREADS[] = "tutti: out of threads (ulimit -u)\n";
    int descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return errno == EMFILE || errno == ENFILE ? FILES : NULL;
    }
    (void)close(descriptor);
    if (!memory_is_there(PROBE_BYTES)) {
        return MEMORY;
    }
    return thread_is_there() ? NULL : THREADS;
}

/* A failed assertion of ours is a bug and dumps core; a library that aborts at a limit is not. */
static void on_abort(int number)
{
    const char *text = reached_limit();
    if (text != NULL) {
        (void)!write(STDERR_FILENO, text, strlen(text));
        _exit(MEMORY_EXIT_CODE);
    }
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

/* By default glibc reserves 64 MiB of address space for each thread that allocates, which may then be missing
 * elsewhere. */
static void spare_addresses(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
        (void)mallopt(M_ARENA_MAX, 1);
    }
}

void process_limits_guard(void)
{
    struct sigaction abort_action = {.sa_handler = on_abort};
    spare_addresses();
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
    (void)sigemptyset(&abort_action.sa_mask);
    (void)sigaction(SIGABRT, &abort_action, NULL);
}

void process_limits_raise_files(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static bool check_descriptors(uint32_t needed, struct error *error)
{
    int *opened = memory_new(needed, sizeof *opened);
    uint32_t count = 0;
    int number = 0;
    while (count < needed && number == 0) {
        opened[count] = open("/dev/null", O_RDONLY | O_CLOEXEC);
        number = opened[count] < 0 ? errno : 0;
        count += number == 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        (void)close(opened[i]);
    }
    memory_free(opened);
    return number == 0 ||
           error_set(error, "only %u more file%s can be opened, %u are needed: %s (raise ulimit -n)",
                     (unsigned)count, digits_plural(count), (unsigned)needed, strerror(number));
}

/* Threads created by libraries use this size too. */
static bool check_stack(struct error *error)
{
    struct rlimit limit;
    pthread_attr_t attributes;
    if (getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur >= STACK_MIN_BYTES) {
        return true;
    }
    if (limit.rlim_max < STACK_MIN_BYTES) {
        return error_set(error, "the stack is limited to %llu KiB, %zu KiB are needed (raise ulimit -s)",
                         (unsigned long long)limit.rlim_max / KIB, STACK_MIN_BYTES / KIB);
    }
    limit.rlim_cur = limit.rlim_max < STACK_USUAL_BYTES ? limit.rlim_max : STACK_USUAL_BYTES;
    (void)setrlimit(RLIMIT_STACK, &limit);
    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, (size_t)limit.rlim_cur);
    (void)pthread_setattr_default_np(&attributes);
    (void)pthread_attr_destroy(&attributes);
    return true;
}

static void *process_limits_wait_for_end(void *context)
{
    sem_t *end = context;
    while (sem_wait(end) != 0) {
    }
    return NULL;
}

/* Checked while all threads exist: their stacks are part of what is needed. */
static bool check_threads(uint32_t needed, struct error *error)
{
    pthread_t *threads = memory_new(needed, sizeof *threads);
    uint32_t count = 0;
    int number = 0;
    sem_t end;
    (void)sem_init(&end, 0, 0);
    while (count < needed && number == 0) {
        number = pthread_create(&threads[count], NULL, process_limits_wait_for_end, &end);
        count += number == 0;
    }
    bool has_memory = memory_is_there(MEMORY_MIN_BYTES);
    for (uint32_t i = 0; i < count; i++) {
        (void)sem_post(&end);
    }
    for (uint32_t i = 0; i < count; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    (void)sem_destroy(&end);
    memory_free(threads);
    if (number != 0) {
        return error_set(
            error, "only %u more threads can be created, %u are needed: %s (raise ulimit -u or ulimit -v)",
            (unsigned)count, (unsigned)needed, strerror(number));
    }
    return has_memory || error_set(error, "less than %zu MiB of memory is left (raise ulimit -v)",
                                   MEMORY_MIN_BYTES / (KIB * KIB));
}

bool process_limits_check(const struct process_needs *needs, struct error *error)
{
    return check_descriptors(needs->descriptors, error) && check_stack(error) &&
           check_threads(needs->threads, error);
}
