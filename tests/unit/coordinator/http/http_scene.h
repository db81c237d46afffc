/* The HTTP server on a loop, and a client on a bare socket. */
#pragma once
#include "coordinator/http/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#define BODY_BYTES 1000u
#define STREAM_BYTES 5000u
#define INCOMING_BYTES 2500u
#define DISCARDED_BYTES 20000u
#define HEADERS_MS 600u
#define BODY_MS 700u
#define TURNS_MAX 4000
#define ANSWER_BYTES 20000

struct scene {
    uv_loop_t loop;
    struct http *http;
    struct http_stream *stream;
    size_t body_size;
    unsigned requests;
    unsigned gone;
    struct http_exchange *postponed;
};

int scene_set_up(void **state);
int scene_tear_down(void **state);
int dial(const struct scene *scene);
void say(int client, const char *text);
void turn(struct scene *scene);
/* Appends what arrives to `text` until it contains `wanted`, or, for NULL, until the server closes. */
void hear(struct scene *scene, int client, char *text, const char *wanted);
