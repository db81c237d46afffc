/* A client for the tests of the practice target: one request in, one answer out. */
#pragma once
#include "common/buffer.h"
#include "target/target.h"

#include <curl/curl.h>

struct ask {
    const char *method; /* NULL is GET */
    const char *path;
    const char *headers[3];
    const char *body;        /* NULL: none */
    size_t body_size;        /* 0: the length of the text */
    const char *credentials; /* "user:password" */
    bool is_chunked;
    bool follows_redirects;
    bool keeps_cookies;
};

struct answer {
    long status;
    long redirects;
    long new_connections;
    double seconds;
    struct buffer headers;
    struct buffer body;
};

struct client {
    struct target *target;
    CURL *easy; /* keeps its connection from one request to the next */
    struct answer answer;
};

/* With a target on a port of its own. */
struct client *client_new(void);
void client_free(struct client *client);
/* The address of `path`, until the next call. */
const char *client_address(const struct client *client, const char *path, char *address, size_t size);
/* Borrowed until the next call. Fails the test if there is no answer. */
const struct answer *client_ask(struct client *client, struct ask ask);
/* Short for a GET. */
const struct answer *client_get(struct client *client, const char *path);
/* Whether the answer has this exact line, such as "ETag: \"1\"". */
bool answer_has_header(const struct answer *answer, const char *line);
/* The body as text. */
const char *answer_text(const struct answer *answer);

/* For cmocka: a client as the state of each test. */
int client_setup(void **state);
int client_teardown(void **state);
#define CLIENT_TEST(test) cmocka_unit_test_setup_teardown(test, client_setup, client_teardown)
/* For a group of tests: libcurl. */
int client_group_setup(void **state);
int client_group_teardown(void **state);
