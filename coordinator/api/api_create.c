/* The API's way to a new campaign. */
#include "coordinator/api/api_inside.h"

#include "common/memory.h"
#include "coordinator/api/creation.h"

#include <assert.h>

#define BUILTIN "builtin"

/* `builtin` as the target is one of ours: the agents put together where that is. */
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

static void api_create_tell(struct http_request *request, unsigned status, uint64_t campaign)
{
    json_t *answer = json_object();
    json_put_count(answer, "campaign", campaign);
    SCOPED(memory_free_at) char *location = memory_format("/v1/campaigns/%llu", (unsigned long long)campaign);
    SCOPED(memory_free_at) char *text = json_to_text(answer, false);
    json_decref(answer);
    http_answer(request, &(struct http_answer){.status = status,
                                               .content_type = "application/json",
                                               .body = bytes_of_string(text),
                                               .header = "Location",
                                               .header_value = location});
}

/* Who asks once more, for he had no answer, is told of the campaign that he has. */
static uint64_t find_known(const struct api *api, const struct creation *creation)
{
    struct bytes key = bytes_of_string(creation->key);
    uint64_t known = server_find_key(api->server, key);
    return known != 0 || api->archive == NULL ? known : archive_find_key(api->archive, key);
}

static void api_create_start(struct api *api, struct http_request *request, struct creation *creation,
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

static void create_if_new(struct api *api, struct http_request *request, struct creation *creation,
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

/* A campaign that somebody wants: its body may have 88 MB, which the thread makes into a bundle with a name,
 * on the disk where one has to outlive this process, before the loop hears of it. */
struct wish {
    uv_work_t work;
    struct api *api;
    struct wish *next;
    struct http_request *request; /* NULL: nobody waits for the answer any more */
    uint8_t *body;
    size_t size;
    json_t *object; /* what the creation borrows from */
    struct creation creation;
    struct bundle_upload upload;
    bool is_good;
    struct error error;
};

static void wish_free(struct wish *wish)
{
    bundle_upload_finish(&wish->upload);
    creation_finish(&wish->creation);
    json_decref(wish->object);
    memory_free(wish->body);
    memory_free(wish);
}

/* In the thread. What is large goes here too: giving it back takes the kernel its time. */
static void wish_read(uv_work_t *work)
{
    struct wish *wish = (struct wish *)work->data;
    wish->object = api_parse_object(bytes_of(wish->body, wish->size), &wish->error);
    memory_free(wish->body);
    wish->body = NULL;
    wish->is_good = wish->object != NULL && creation_read(&wish->creation, wish->object, &wish->error);
    if (wish->is_good) {
        bundle_upload_write(&wish->upload, &wish->creation.bundle);
    } else {
        creation_finish(&wish->creation);
        json_decref(wish->object);
        wish->object = NULL;
    }
}

static void on_wish_gone(void *context)
{
    ((struct wish *)context)->request = NULL;
}

static void refuse_while_draining(struct http_request *request)
{
    api_answer_error(request, 503, "the coordinator is shutting down and takes no new campaigns");
}

static void wish_answer(struct wish *wish)
{
    struct http_request *request = wish->request;
    if (!wish->is_good) {
        api_answer_error(request, 400, "%s", wish->error.text);
    } else if (wish->api->is_draining) {
        refuse_while_draining(request);
    } else {
        create_if_new(wish->api, request, &wish->creation, &wish->upload);
    }
    http_answer_postponed(request);
}

static void api_work_begin(struct api_work *work);

static void on_wish_read(uv_work_t *work, int status)
{
    struct wish *wish = (struct wish *)work->data;
    struct api *api = wish->api;
    (void)status;
    api->work.first = wish->next;
    if (wish->request != NULL) {
        wish_answer(wish);
    }
    wish_free(wish);
    api_work_begin(&api->work);
    api_release(api);
}

/* One at a time: each takes several times the memory of its body. */
static void api_work_begin(struct api_work *work)
{
    struct wish *wish = work->first;
    if (wish == NULL) {
        work->last = NULL;
        return;
    }
    wish->work.data = wish;
    bundle_upload_begin(&wish->upload, server_bundles(wish->api->server));
    wish->api->open_parts++;
    int result = uv_queue_work(work->loop, &wish->work, wish_read, on_wish_read);
    assert(result == 0);
    (void)result;
}

void api_work_close(struct api_work *work)
{
    struct wish *wish = work->first != NULL ? work->first->next : NULL;
    if (work->first != NULL) {
        work->first->next = NULL;
    }
    while (wish != NULL) {
        struct wish *next = wish->next;
        wish_free(wish);
        wish = next;
    }
}

void api_create_campaign(struct api *api, struct http_request *request, uint64_t campaign)
{
    struct api_work *work = &api->work;
    (void)campaign;
    if (api->is_draining) {
        refuse_while_draining(request);
        return;
    }
    struct wish *wish = MEMORY_NEW(struct wish);
    wish->api = api;
    wish->request = request;
    wish->body = http_take_body(request, &wish->size);
    http_postpone(request, on_wish_gone, wish);
    bool is_alone = work->first == NULL;
    *(is_alone ? &work->first : &work->last->next) = wish;
    work->last = wish;
    if (is_alone) {
        api_work_begin(work);
    }
}
