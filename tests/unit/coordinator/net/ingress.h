/* The agents' port on real sockets, and callers that send what a test wants them to send. */
#pragma once
#include "coordinator/net/server.h"
#include "proto/socket/socket.h"

#include "tests/unit/common/check.h"

#define CALLERS 3

/* One end of a connection, which sends what the test wants it to send. */
struct caller {
    struct socket *socket;
    struct agent_key key;
    char story[400]; /* what it was told: "welcome refused(why) " */
    size_t told;
    bool hears_welcome; /* which arrives again and again, since it is not acknowledged */
};

struct scene {
    uv_loop_t loop;
    uv_timer_t guard;
    bool is_late;
    char folder[40];
    struct key_pair pair;
    struct server *server;
    struct caller callers[CALLERS];
    struct buffer log;
    size_t lines;
};

/* cmocka's set-up and tear-down: callers a1, a2 and stranger with keys of their own, of which the first two
 * are on the list; the server is not started. */
int set_up(void **state);
int tear_down(void **state);
#define INGRESS_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

void start_server(struct scene *scene, bool has_keys);
/* The list is of callers first…end-1 from now on. */
void write_list(const struct scene *scene, size_t first, size_t end);

void dial(struct scene *scene, struct caller *caller, bool has_key);
void say(struct caller *caller, const struct envelope *envelope, struct bytes message);
void say_hello(struct caller *caller, uint64_t incarnation, const char *name);
/* Connects with its key, says hello by its own name, and is welcomed. */
void come_in(struct scene *scene, struct caller *caller, uint64_t incarnation);

/* Each runs the loop until the condition holds, and fails the test if that takes half a minute. */
void run_while(struct scene *scene, bool (*is_waiting)(struct scene *scene, const void *what),
               const void *what);
void await_log(struct scene *scene, const char *text);
void await_refusal(struct scene *scene, enum refusal refusal);
/* The caller is told this and nothing before it. */
void expect_told(struct scene *scene, struct caller *caller, const char *story);
