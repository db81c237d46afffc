/* A client for the tests of the practice target: one request in, one answer out. */
#include "tests/unit/target/target_client.h"

#include "common/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MAX_ANSWER_BYTES (64u << 20)
#define DEADLINE_S 30L

static size_t keep(char *data, size_t size, size_t count, void *buffer)
{
    return buffer_append(buffer, data, size * count) ? size * count : 0;
}

struct client *client_new(void)
{
    struct client *client = MEMORY_NEW(struct client);
    struct error error = {0};
    client->target = target_start(NULL, 0, &error);
    assert_string_equal(error.text, "");
    assert_non_null(client->target);
    client->easy = curl_easy_init();
    buffer_init(&client->answer.headers, MAX_ANSWER_BYTES);
    buffer_init(&client->answer.body, MAX_ANSWER_BYTES);
    return client;
}

void client_free(struct client *client)
{
    curl_easy_cleanup(client->easy);
    target_stop(&client->target);
    assert_null(client->target);
    buffer_finish(&client->answer.headers);
    buffer_finish(&client->answer.body);
    memory_free(client);
}

const char *client_address(const struct client *client, const char *path, char *address, size_t size)
{
    (void)snprintf(address, size, "http://127.0.0.1:%u%s", target_port(client->target), path);
    return address;
}

static void set_body(CURL *easy, const struct ask *ask)
{
    if (ask->body != NULL) {
        curl_off_t size = (curl_off_t)(ask->body_size > 0 ? ask->body_size : strlen(ask->body));
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, size);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, ask->body);
    }
    if (ask->method != NULL && strcmp(ask->method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (ask->method != NULL) {
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, ask->method);
    }
}

static struct curl_slist *set_headers(CURL *easy, const struct ask *ask)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: text/x-test");
    headers = curl_slist_append(headers, "Expect:");
    if (ask->is_chunked) {
        headers = curl_slist_append(headers, "Transfer-Encoding: chunked");
    }
    for (size_t i = 0; i < sizeof ask->headers / sizeof ask->headers[0]; i++) {
        if (ask->headers[i] != NULL) {
            headers = curl_slist_append(headers, ask->headers[i]);
        }
    }
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    return headers;
}

const struct answer *client_ask(struct client *client, struct ask ask)
{
    struct answer *answer = &client->answer;
    CURL *easy = client->easy;
    char address[2048];
    buffer_clear(&answer->headers);
    buffer_clear(&answer->body);
    curl_easy_reset(easy);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_TIMEOUT, DEADLINE_S);
    curl_easy_setopt(easy, CURLOPT_URL, client_address(client, ask.path, address, sizeof address));
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &answer->body);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &answer->headers);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, (long)ask.follows_redirects);
    curl_easy_setopt(easy, CURLOPT_USERPWD, ask.credentials);
    if (ask.keeps_cookies) {
        curl_easy_setopt(easy, CURLOPT_COOKIEFILE, "");
    }
    struct curl_slist *headers = set_headers(easy, &ask);
    set_body(easy, &ask);
    CURLcode code = curl_easy_perform(easy);
    curl_slist_free_all(headers);
    curl_easy_setopt(easy, CURLOPT_COOKIEFILE, NULL);
    assert_string_equal(curl_easy_strerror(code), curl_easy_strerror(CURLE_OK));
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer->status);
    curl_easy_getinfo(easy, CURLINFO_REDIRECT_COUNT, &answer->redirects);
    curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &answer->new_connections);
    curl_easy_getinfo(easy, CURLINFO_TOTAL_TIME, &answer->seconds);
    return answer;
}

const struct answer *client_get(struct client *client, const char *path)
{
    return client_ask(client, (struct ask){.path = path});
}

bool answer_has_header(const struct answer *answer, const char *line)
{
    char wanted[512];
    (void)snprintf(wanted, sizeof wanted, "\r\n%s\r\n", line);
    return answer->headers.data != NULL &&
           memmem(answer->headers.data, answer->headers.size, wanted, strlen(wanted)) != NULL;
}

const char *answer_text(const struct answer *answer)
{
    return buffer_string((struct buffer *)(uintptr_t)&answer->body);
}

int client_setup(void **state)
{
    *state = client_new();
    return 0;
}

int client_teardown(void **state)
{
    client_free(*state);
    return 0;
}

int client_group_setup(void **state)
{
    (void)state;
    return curl_global_init(CURL_GLOBAL_ALL) == CURLE_OK ? 0 : -1;
}

int client_group_teardown(void **state)
{
    (void)state;
    curl_global_cleanup();
    return 0;
}
