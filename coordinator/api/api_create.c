/* Creates campaigns. */
#include "coordinator/api/api_inside.h"

#include "common/memory.h"
#include "coordinator/api/creation.h"

#include <assert.h>

#define BUILTIN "builtin"

/* The target `builtin` is one of ours: agents make its address from its port. */
static bool find_target(const struct api *api, struct campaign_options *options, struct error *error)
{
    if (!bytes_equal_string(options->target, BUILTIN)) {
        return true;
    }
    if (api->target.open == NULL) {
        return error_set(error, "this coordinator has no practice target");
    }
    options->target = bytes_of(NULL, 0);
    return api->target.open(api->target.context, &options->target_port, error) ||
           error_wrap(error, "the practice target: ");
}

static void api_create_tell(struct http_exchange *request, unsigned status, uint64_t campaign)
{
    json_t *answer = json_object();
    json_put_count(answer, "campaign", campaign);
    SCOPED(memory_free_at) char *location = memory_format("/v1/campaigns/%llu", (unsigned long long)campaign);
    SCOPED(memory_free_at) char *text = json_to_text(answer, false);
    json_decref(answer);
    http_answer(request, &(struct http_answer){.status = status,
                                               .content_type = "application/json",
                                               .body = bytes_of_string(text),
                                               .headers = {{"Location", location}}});
}

/* Idempotent retry: the same key returns the existing campaign. */
static uint64_t find_known(const struct api *api, const struct creation *creation)
{
    struct bytes key = bytes_of_string(creation->key);
    uint64_t known = server_find_key(api->server, key);
    return known != 0 || api->archive == NULL ? known : archive_find_key(api->archive, key);
}

static void api_create_start(struct api *api, struct http_exchange *request, struct creation *creation,
                             struct bundle_upload *upload)
{
    struct error error;
    const struct server_campaign wanted = {.options = &creation->options,
                                           .bundle = &creation->bundle,
                                           .content = &creation->content,
                                           .upload = upload,
                                           .script = creation->script,
                                           .key = creation->key,
                                           .agents = creation->agents,
                                           .deadline_ms = creation->deadline_ms};
    if (!server_has_room(api->server, &wanted, &error)) {
        api_answer_error(request, 409, "%s", error.text);
        return;
    }
    if (!find_target(api, &creation->options, &error)) {
        api_answer_error(request, 503, "%s", error.text);
        return;
    }
    uint64_t campaign = server_create(api->server, &wanted, &error);
    if (campaign != 0) {
        api_create_tell(request, 201, campaign);
        return;
    }
    api_answer_error(request, 503, "%s", error.text);
}

static void create_if_new(struct api *api, struct http_exchange *request, struct creation *creation,
                          struct bundle_upload *upload)
{
    uint64_t known = find_known(api, creation);
    if (known != 0) {
        api_create_tell(request, 200, known);
    } else if (server_overview(api->server)->live_campaign_count >= API_LIVE_CAMPAIGNS) {
        api_answer_error(request, 503, "%u campaigns are under way already; wait for one to end",
                         API_LIVE_CAMPAIGNS);
    } else {
        api_create_start(api, request, creation, upload);
    }
}

/* A request to create a campaign. Its body may have 88 MB, so a thread parses it, hashes the bundle,
 * and stores it where it has to survive this process. */
struct creation_request {
    uv_work_t work;
    struct api *api;
    struct creation_request *next;
    struct http_exchange *request; /* NULL: nobody waits for the answer any more */
    uint8_t *body;
    size_t size;
    json_t *object; /* what the creation borrows from */
    struct creation creation;
    struct bundle_upload upload;
    bool is_good;
    struct error error;
};

static void creation_request_free(struct creation_request *pending)
{
    bundle_upload_finish(&pending->upload);
    creation_finish(&pending->creation);
    json_decref(pending->object);
    memory_free(pending->body);
    memory_free(pending);
}

/* In the thread. Large memory is freed here too, because giving it back to the kernel takes time. */
static void creation_request_read(uv_work_t *work)
{
    struct creation_request *pending = (struct creation_request *)work->data;
    pending->object = api_parse_object(bytes_of(pending->body, pending->size), &pending->error);
    memory_free(pending->body);
    pending->body = NULL;
    pending->is_good =
        pending->object != NULL && creation_read(&pending->creation, pending->object, &pending->error);
    if (pending->is_good) {
        bundle_upload_write(&pending->upload, &pending->creation.bundle);
    } else {
        creation_finish(&pending->creation);
        json_decref(pending->object);
        pending->object = NULL;
    }
}

static void on_creation_gone(void *context)
{
    ((struct creation_request *)context)->request = NULL;
}

static void refuse_while_draining(struct http_exchange *request)
{
    api_answer_error(request, 503, "the coordinator is shutting down and takes no new campaigns");
}

static void creation_request_answer(struct creation_request *pending)
{
    struct http_exchange *request = pending->request;
    server_flush(pending->api->server);
    if (!pending->is_good) {
        api_answer_error(request, 400, "%s", pending->error.text);
    } else if (pending->api->is_draining) {
        refuse_while_draining(request);
    } else {
        create_if_new(pending->api, request, &pending->creation, &pending->upload);
    }
    http_answer_postponed(request);
}

static void api_work_begin(struct api_work *work);

static void on_creation_read(uv_work_t *work, int status)
{
    struct creation_request *pending = (struct creation_request *)work->data;
    struct api *api = pending->api;
    (void)status;
    api->work.first = pending->next;
    if (pending->request != NULL) {
        creation_request_answer(pending);
    }
    creation_request_free(pending);
    api_work_begin(&api->work);
    api_release(api);
}

/* One at a time: each takes several times the memory of its body. */
static void api_work_begin(struct api_work *work)
{
    struct creation_request *pending = work->first;
    if (pending == NULL) {
        work->last = NULL;
        return;
    }
    pending->work.data = pending;
    bundle_upload_begin(&pending->upload, server_bundles(pending->api->server));
    pending->api->open_parts++;
    int result = uv_queue_work(work->loop, &pending->work, creation_request_read, on_creation_read);
    assert(result == 0);
    (void)result;
}

void api_work_close(struct api_work *work)
{
    struct creation_request *pending = work->first != NULL ? work->first->next : NULL;
    if (work->first != NULL) {
        work->first->next = NULL;
    }
    while (pending != NULL) {
        struct creation_request *next = pending->next;
        creation_request_free(pending);
        pending = next;
    }
}

void api_create_campaign(struct api *api, struct http_exchange *request, uint64_t campaign)
{
    struct api_work *work = &api->work;
    (void)campaign;
    if (api->is_draining) {
        refuse_while_draining(request);
        return;
    }
    if (api->serves_one_run) {
        api_answer_error(request, 503, "this is the coordinator of one run, and takes no campaigns");
        return;
    }
    struct creation_request *pending = MEMORY_NEW(struct creation_request);
    pending->api = api;
    pending->request = request;
    pending->body = http_take_body(request, &pending->size);
    http_postpone(request, on_creation_gone, pending);
    bool is_alone = work->first == NULL;
    *(is_alone ? &work->first : &work->last->next) = pending;
    work->last = pending;
    if (is_alone) {
        api_work_begin(work);
    }
}
