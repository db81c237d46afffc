/* A coordinator with keys and nothing else, for stories about its door: door ENDPOINT KEYS. Says where it
 * listens and all that it logs, line by line; ends with SIGTERM. */
#include "coordinator/server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static void on_log(void *context, enum log_level level, const char *text)
{
    (void)context;
    (void)level;
    printf("%s\n", text);
    (void)fflush(stdout);
}

static void on_signal(uv_signal_t *signal, int number)
{
    (void)number;
    uv_stop(signal->loop);
}

int main(int argc, char **argv)
{
    uv_loop_t loop;
    uv_signal_t terminate;
    struct error error;
    struct error warning;
    if (argc != 3) {
        fprintf(stderr, "usage: %s ENDPOINT KEYS\n", argv[0]);
        return 2;
    }
    struct gate *gate = gate_open(argv[2], &warning, &error);
    (void)uv_loop_init(&loop);
    (void)uv_signal_init(&loop, &terminate);
    (void)uv_signal_start(&terminate, on_signal, SIGTERM);
    const struct server_options options = {.endpoint = argv[1],
                                           .settings = coordinator_default_settings(0),
                                           .callbacks = {.on_log = on_log},
                                           .gate = &gate};
    struct server *server = gate != NULL ? server_new(&loop, &options, &error) : NULL;
    if (server == NULL) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    printf("listening on %s\n", server_endpoint(server));
    (void)fflush(stdout);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    server_close(&server, 0);
    uv_close((uv_handle_t *)&terminate, NULL);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    return uv_loop_close(&loop) == 0 ? 0 : 1;
}
