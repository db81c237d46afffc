/* One-time codes: how a link gives a browser the token without having it. */
#include "coordinator/api/api_inside.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define CODE_DRAWN_BYTES 16u
static_assert(API_CODE_BYTES == 2 * CODE_DRAWN_BYTES + 1, "each byte is two digits");
#define MS_PER_S 1000u

static uint64_t login_now_ms(const struct api *api)
{
    return uv_now(api->tick.loop);
}

void api_draw_code(struct api *api, char code[API_CODE_BYTES])
{
    uint8_t drawn[CODE_DRAWN_BYTES];
    ssize_t size = getrandom(drawn, sizeof drawn, 0);
    assert(size == (ssize_t)sizeof drawn);
    (void)size;
    for (size_t i = 0; i < sizeof drawn; i++) {
        (void)snprintf(code + 2 * i, 3, "%02x", drawn[i]);
    }
    login_codes_add(&api->login_codes, login_now_ms(api), code);
}

void api_create_code(struct api *api, struct http_exchange *request, uint64_t campaign)
{
    static const char *const keys[] = {NULL};
    char code[API_CODE_BYTES];
    struct error error;
    (void)campaign;
    json_t *body = api_body_object(request);
    if (body == NULL) {
        return;
    }
    bool is_good = json_check_keys(body, keys, "code", &error);
    json_decref(body);
    if (!is_good) {
        api_answer_error(request, 400, "%s", error.text);
        return;
    }
    json_t *answer = json_object();
    if (api->entry.token == NULL) {
        json_put(answer, "code", json_null());
    } else {
        api_draw_code(api, code);
        json_put_text(answer, "code", bytes_of_string(code));
        explicit_bzero(code, sizeof code);
    }
    json_put_count(answer, "seconds", LOGIN_CODE_MS / MS_PER_S);
    api_answer_json(request, 201, answer);
}

static void answer_login(struct api *api, struct http_exchange *request, const char *code)
{
    switch (login_codes_take(&api->login_codes, login_now_ms(api), code)) {
    case LOGIN_DONE: {
        json_t *answer = json_object();
        json_put_text(answer, "token", bytes_of_string(api->entry.token));
        api_answer_json(request, 200, answer);
        break;
    }
    case LOGIN_WRONG:
        api_answer_error(request, 401, "this code is not good, or not any more: ask for another link");
        break;
    case LOGIN_TOO_OFTEN:
        api_answer_error(request, 429, "too many wrong codes; try again in a minute");
        break;
    }
}

void api_login(struct api *api, struct http_exchange *request, uint64_t campaign)
{
    static const char *const keys[] = {"code", NULL};
    struct error error;
    (void)campaign;
    json_t *body = api_body_object(request);
    if (body == NULL) {
        return;
    }
    const json_t *code = json_object_get(body, "code");
    if (!json_check_keys(body, keys, "login", &error)) {
        api_answer_error(request, 400, "%s", error.text);
    } else if (!json_is_string(code)) {
        api_answer_error(request, 400, "code is not a text");
    } else {
        answer_login(api, request, json_string_value(code));
    }
    json_decref(body);
}
