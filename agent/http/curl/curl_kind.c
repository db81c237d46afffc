/* The engine on libcurl, as engine.h wants it. */
#include "agent/http/curl/curl_kind.h"

#include "agent/http/curl/curl_client.h"

/* The base is the first member of both. */
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

static struct http_client *
curl_kind_client_new(struct http_engine *engine,
                     void (*on_done)(void *context, struct http_response *response), void *context)
{
    return (struct http_client *)curl_client_new((struct curl_engine *)engine, on_done, context);
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

static void curl_kind_start(struct http_client *client, const struct http_request *request)
{
    curl_client_start((struct curl_client *)client, request);
}

static void curl_kind_drop_body(struct http_client *client)
{
    curl_client_drop_body((struct curl_client *)client);
}

static void curl_kind_cancel(struct http_client *client)
{
    curl_client_cancel((struct curl_client *)client);
}

const struct http_engine_functions curl_kind = {
    .engine_new = curl_kind_engine_new,
    .engine_set_memory = curl_kind_set_memory,
    .engine_close = curl_kind_engine_close,
    .client_new = curl_kind_client_new,
    .client_set_network = curl_kind_set_network,
    .client_free = curl_kind_client_free,
    .start = curl_kind_start,
    .drop_body = curl_kind_drop_body,
    .cancel = curl_kind_cancel,
};
