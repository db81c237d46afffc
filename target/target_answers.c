/* The stateless routes of the practice target. */
#include "target/target_routes.h"

#include "common/memory.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DELAY_MS 60000u
#define MAX_BYTES (16ULL << 30)
#define MAX_REDIRECTS 1000u
#define MAX_COOKIE_BYTES 4096u

enum MHD_Result target_answer_status(struct target_request *request)
{
    uint64_t status = 0;
    if (!target_number(request->argument, 100, 599, &status)) {
        return target_answer_text(request, MHD_HTTP_BAD_REQUEST,
                                  "/status/CODE takes a number from 100 to 599\n");
    }
    char text[16];
    (void)snprintf(text, sizeof text, "%" PRIu64 "\n", status);
    struct MHD_Response *response = target_text_response("text/plain", text);
    if (response != NULL && status < MHD_HTTP_OK) {
        /* Only the start of a response: closing tells the client that the rest will not come. */
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    }
    return target_answer(request, (unsigned)status, response);
}

enum MHD_Result target_answer_delay(struct target_request *request)
{
    uint64_t milliseconds = 0;
    if (!target_number(request->argument, 0, MAX_DELAY_MS, &milliseconds)) {
        return target_answer_text(request, MHD_HTTP_BAD_REQUEST, "/delay/MS takes a number from 0 to %u\n",
                                  MAX_DELAY_MS);
    }
    if (!request->has_waited && milliseconds > 0) {
        request->has_waited = true;
        if (delays_suspend(request->scene->delays, &request->delay, request->connection, milliseconds)) {
            return MHD_YES;
        }
    }
    return target_answer_text(request, MHD_HTTP_OK, "waited %" PRIu64 " ms\n", milliseconds);
}

static ssize_t fill(void *filler, uint64_t position, char *chunk, size_t size)
{
    size_t filled = size < TARGET_CHUNK_BYTES ? size : TARGET_CHUNK_BYTES;
    memcpy(chunk, (const char *)filler + position % TARGET_FILLER_PERIOD, filled);
    return (ssize_t)filled;
}

enum MHD_Result target_answer_bytes(struct target_request *request)
{
    uint64_t size = 0;
    char *filler = request->scene->filler;
    if (!target_number(request->argument, 0, MAX_BYTES, &size)) {
        return target_answer_text(request, MHD_HTTP_BAD_REQUEST, "/bytes/N takes a number from 0 to %llu\n",
                                  MAX_BYTES);
    }
    struct MHD_Response *response =
        size <= TARGET_CHUNK_BYTES
            ? MHD_create_response_from_buffer((size_t)size, filler, MHD_RESPMEM_PERSISTENT)
            : MHD_create_response_from_callback(size, TARGET_CHUNK_BYTES, fill, filler, NULL);
    if (response != NULL) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/octet-stream");
    }
    return target_answer(request, MHD_HTTP_OK, response);
}

/* Headers may contain any bytes, JSON only UTF-8: anything that is not UTF-8 is taken as Latin-1. */
static json_t *json_from(const char *text)
{
    json_t *string = json_string(text);
    if (string != NULL) {
        return string;
    }
    struct buffer converted SCOPED(buffer_finish);
    buffer_init(&converted, 2 * strlen(text));
    for (const uint8_t *byte = (const uint8_t *)text; *byte != '\0'; byte++) {
        uint8_t pair[2] = {(uint8_t)(0xC0u | *byte >> 6), (uint8_t)(0x80u | (*byte & 0x3Fu))};
        (void)(*byte < 0x80u ? buffer_append(&converted, byte, 1)
                             : buffer_append(&converted, pair, sizeof pair));
    }
    return json_string(buffer_string(&converted));
}

/* Repeated headers are joined by commas, as HTTP specifies. */
static enum MHD_Result add_to_object(void *object, enum MHD_ValueKind kind, const char *key,
                                     const char *value)
{
    (void)kind;
    json_t *json_key = json_from(key);
    const char *name = json_string_value(json_key);
    const char *before = json_string_value(json_object_get(object, name));
    json_t *json_value = json_from(value != NULL ? value : "");
    if (before != NULL) {
        char *joined SCOPED(memory_free_at) = memory_format("%s, %s", before, json_string_value(json_value));
        json_decref(json_value);
        json_value = json_string(joined);
    }
    json_object_set_new(object, name, json_value);
    json_decref(json_key);
    return MHD_YES;
}

static enum MHD_Result answer_values(struct target_request *request, enum MHD_ValueKind kind)
{
    json_t *object = json_object();
    MHD_get_connection_values(request->connection, kind, add_to_object, object);
    char *text = json_dumps(object, JSON_INDENT(2));
    json_decref(object);
    if (text == NULL) {
        return MHD_NO;
    }
    struct MHD_Response *response = target_text_response("application/json", text);
    free(text);
    return target_answer(request, MHD_HTTP_OK, response);
}

enum MHD_Result target_answer_headers(struct target_request *request)
{
    return answer_values(request, MHD_HEADER_KIND);
}

enum MHD_Result target_answer_cookies(struct target_request *request)
{
    return answer_values(request, MHD_COOKIE_KIND);
}

static bool is_cookie_text(const char *text, const char *forbidden)
{
    for (const char *character = text; *character != '\0'; character++) {
        if ((unsigned char)*character <= ' ' || *character == 0x7F || strchr(forbidden, *character) != NULL) {
            return false;
        }
    }
    return true;
}

struct cookie_setting {
    struct MHD_Response *response;
    unsigned count;
    bool is_refused;
};

static enum MHD_Result set_cookie(void *argument, enum MHD_ValueKind kind, const char *key, const char *value)
{
    struct cookie_setting *setting = argument;
    const char *text = value != NULL ? value : "";
    (void)kind;
    if (*key == '\0' || strlen(key) + strlen(text) > MAX_COOKIE_BYTES ||
        !is_cookie_text(key, "=;,\"()<>@:\\/[]?{}") || !is_cookie_text(text, ";,\"\\")) {
        setting->is_refused = true;
        return MHD_NO;
    }
    char *cookie SCOPED(memory_free_at) = memory_format("%s=%s; Path=/", key, text);
    setting->count++;
    return MHD_add_response_header(setting->response, MHD_HTTP_HEADER_SET_COOKIE, cookie);
}

static struct MHD_Response *redirect_to(const char *location)
{
    struct MHD_Response *response = target_text_response("text/plain", "");
    if (response != NULL) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_LOCATION, location);
    }
    return response;
}

enum MHD_Result target_answer_cookies_set(struct target_request *request)
{
    struct cookie_setting setting = {.response = redirect_to("/cookies")};
    if (setting.response == NULL) {
        return MHD_NO;
    }
    MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND, set_cookie, &setting);
    if (setting.count > 0 && !setting.is_refused) {
        return target_answer(request, MHD_HTTP_FOUND, setting.response);
    }
    MHD_destroy_response(setting.response);
    return target_answer_text(
        request, MHD_HTTP_BAD_REQUEST,
        "/cookies/set takes ?NAME=VALUE, without spaces, quotes, commas and semicolons\n");
}

enum MHD_Result target_answer_redirect(struct target_request *request)
{
    uint64_t hops = 0;
    if (!target_number(request->argument, 1, MAX_REDIRECTS, &hops)) {
        return target_answer_text(request, MHD_HTTP_BAD_REQUEST, "/redirect/N takes a number from 1 to %u\n",
                                  MAX_REDIRECTS);
    }
    char location[32] = "/";
    if (hops > 1) {
        (void)snprintf(location, sizeof location, "/redirect/%" PRIu64, hops - 1);
    }
    return target_answer(request, MHD_HTTP_FOUND, redirect_to(location));
}

enum MHD_Result target_answer_basic_auth(struct target_request *request)
{
    const char *slash = strchr(request->argument, '/');
    if (slash == NULL) {
        return target_answer_shared(request, MHD_HTTP_NOT_FOUND, request->scene->not_found);
    }
    struct bytes wanted = bytes_of(request->argument, (size_t)(slash - request->argument));
    char *password = NULL;
    char *user = MHD_basic_auth_get_username_password(request->connection, &password);
    bool is_right = user != NULL && password != NULL && bytes_equal_string(wanted, user) &&
                    strcmp(slash + 1, password) == 0;
    MHD_free(user);
    MHD_free(password);
    if (is_right) {
        return target_answer_text(request, MHD_HTTP_OK, "welcome\n");
    }
    struct MHD_Response *response = target_text_response("text/plain", "who are you?\n");
    if (response != NULL) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Basic realm=\"tutti\"");
    }
    return target_answer(request, MHD_HTTP_UNAUTHORIZED, response);
}

/* At the host by which the client has found us. */
enum MHD_Result target_answer_tcp(struct target_request *request)
{
    const char *host = target_request_header(request, MHD_HTTP_HEADER_HOST);
    if (host == NULL || *host == '\0') {
        host = "127.0.0.1";
    }
    size_t length = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
    length = length < strlen(host) ? length : strlen(host);
    return target_answer_text(request, MHD_HTTP_OK, "tcp://%.*s:%u", (int)length, host,
                              (unsigned)request->scene->tcp_port);
}

enum MHD_Result target_answer_echo(struct target_request *request)
{
    const char *type = target_request_header(request, MHD_HTTP_HEADER_CONTENT_TYPE);
    size_t size = 0;
    uint8_t *data = buffer_take(&request->body, &size);
    struct MHD_Response *response =
        MHD_create_response_from_buffer_with_free_callback(size, data, memory_free);
    if (response == NULL) {
        memory_free(data);
        return MHD_NO;
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                            type != NULL ? type : "application/octet-stream");
    return target_answer(request, MHD_HTTP_OK, response);
}
