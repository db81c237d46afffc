/* The engine on libcurl, as engine.h wants it. */
#include "agent/http/curl/curl_kind.h"

#include "agent/http/curl/curl_client.h"

/* The base is the first member of each. */
static struct http_engine *curl_kind_engine_new(uv_loop_t *loop, struct lease *lease)
{
    return (struct http_engine *)curl_engine_new(loop, lease);
}

static void curl_kind_set_memory(struct http_engine *engine, struct memory_account *memory)
{
    curl_engine_set_memory((struct curl_engine *)engine, memory);
}

static void curl_kind_engine_close(struct http_engine *base)
{
    struct curl_engine *engine = (struct curl_engine *)base;
    curl_engine_close(&engine);
}

static struct http_client *curl_kind_client_new(struct http_engine *engine)
{
    return (struct http_client *)curl_client_new((struct curl_engine *)engine);
}

static void curl_kind_set_network(struct http_client *client, const struct http_network *network)
{
    curl_client_set_network((struct curl_client *)client, network);
}

static void curl_kind_client_free(struct http_client *base)
{
    struct curl_client *client = (struct curl_client *)base;
    curl_client_free(&client);
}

static void curl_kind_client_cancel(struct http_client *client)
{
    curl_client_cancel((struct curl_client *)client);
}

static struct http_exchange *curl_kind_start(struct http_client *client, const struct http_request *request)
{
    return (struct http_exchange *)curl_client_start((struct curl_client *)client, request);
}

static void curl_kind_exchange_free(struct http_exchange *base)
{
    struct curl_exchange *exchange = (struct curl_exchange *)base;
    curl_exchange_free(&exchange);
}

static struct cookie_jar *curl_kind_cookies(struct http_client *client)
{
    return curl_client_cookies((struct curl_client *)client);
}

static void curl_kind_cookies_changed(struct http_client *client)
{
    curl_client_cookies_changed((struct curl_client *)client);
}

static void curl_kind_close_idle(struct http_client *client)
{
    curl_client_close_idle((struct curl_client *)client);
}

const struct http_engine_functions curl_kind = {
    .engine_new = curl_kind_engine_new,
    .engine_set_memory = curl_kind_set_memory,
    .engine_close = curl_kind_engine_close,
    .client_new = curl_kind_client_new,
    .client_set_network = curl_kind_set_network,
    .client_free = curl_kind_client_free,
    .client_cancel = curl_kind_client_cancel,
    .start = curl_kind_start,
    .exchange_free = curl_kind_exchange_free,
    .cookies = curl_kind_cookies,
    .cookies_changed = curl_kind_cookies_changed,
    .close_idle = curl_kind_close_idle,
};
