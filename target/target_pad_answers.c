/* The routes of the practice target that read and write pads. */
#include "target/target_routes.h"

#include <inttypes.h>
#include <stdio.h>

#define VERSION_TEXT_BYTES 48

/* Answers the request itself if the name is too long. */
static bool is_name_refused(struct target_request *request, struct bytes *name, enum MHD_Result *result)
{
    *name = bytes_of_string(request->argument);
    if (name->size <= PAD_MAX_NAME_BYTES) {
        return false;
    }
    *result = target_answer_text(request, MHD_HTTP_BAD_REQUEST,
                                 "the name of a pad may have at most %u bytes\n", PAD_MAX_NAME_BYTES);
    return true;
}

static struct pad_condition condition_of(const struct target_request *request)
{
    return (struct pad_condition){
        .if_match = target_request_header(request, MHD_HTTP_HEADER_IF_MATCH),
        .if_none_match = target_request_header(request, MHD_HTTP_HEADER_IF_NONE_MATCH),
    };
}

static enum MHD_Result answer_unknown(struct target_request *request)
{
    return target_answer_text(request, MHD_HTTP_NOT_FOUND, "nobody has written this pad yet\n");
}

enum MHD_Result target_answer_pad_get(struct target_request *request)
{
    struct bytes name;
    enum MHD_Result result = MHD_NO;
    if (is_name_refused(request, &name, &result)) {
        return result;
    }
    struct pad_text *text SCOPED(pad_text_release) = pads_get(request->scene->pads, name);
    if (text == NULL) {
        return answer_unknown(request);
    }
    const char *known = target_request_header(request, MHD_HTTP_HEADER_IF_NONE_MATCH);
    bool is_known = known != NULL && pad_tag_is_listed(known, pad_text_version(text), false);
    return target_answer_shared(request, is_known ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK,
                                pad_text_response(text));
}

static enum MHD_Result answer_version(struct target_request *request, unsigned status, uint64_t version)
{
    char text[VERSION_TEXT_BYTES];
    (void)snprintf(text, sizeof text, "{\"version\":%" PRIu64 "}\n", version);
    struct MHD_Response *response = target_text_response("application/json", text);
    if (response != NULL && version > 0) {
        (void)snprintf(text, sizeof text, "%" PRIu64, version);
        MHD_add_response_header(response, "X-Version", text);
        (void)snprintf(text, sizeof text, "\"%" PRIu64 "\"", version);
        MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, text);
    }
    return target_answer(request, status, response);
}

static enum MHD_Result answer_outcome(struct target_request *request, enum pad_outcome outcome,
                                      uint64_t version)
{
    switch (outcome) {
    case PAD_CREATED:
        return answer_version(request, MHD_HTTP_CREATED, version);
    case PAD_REPLACED:
        return answer_version(request, MHD_HTTP_OK, version);
    case PAD_MISMATCH:
        return answer_version(request, MHD_HTTP_PRECONDITION_FAILED, version);
    case PAD_REMOVED:
        return target_answer_text(request, MHD_HTTP_NO_CONTENT, "%s", "");
    case PAD_UNKNOWN:
        return answer_unknown(request);
    case PAD_TOO_MANY:
        return target_answer_text(request, MHD_HTTP_INSUFFICIENT_STORAGE,
                                  "there are already %u pads, the maximum; DELETE some\n", PADS_MAX_COUNT);
    case PAD_NO_ROOM:
        break;
    }
    return target_answer_text(request, MHD_HTTP_INSUFFICIENT_STORAGE,
                              "the pads would hold more than %u bytes together; DELETE some\n",
                              PADS_MAX_TOTAL_BYTES);
}

enum MHD_Result target_answer_pad_put(struct target_request *request)
{
    struct bytes name;
    enum MHD_Result result = MHD_NO;
    if (is_name_refused(request, &name, &result)) {
        return result;
    }
    uint64_t version = 0;
    enum pad_outcome outcome =
        pads_put(request->scene->pads, name, condition_of(request), &request->body, &version);
    return answer_outcome(request, outcome, version);
}

enum MHD_Result target_answer_pad_delete(struct target_request *request)
{
    struct bytes name;
    enum MHD_Result result = MHD_NO;
    if (is_name_refused(request, &name, &result)) {
        return result;
    }
    uint64_t version = 0;
    enum pad_outcome outcome = pads_remove(request->scene->pads, name, condition_of(request), &version);
    return answer_outcome(request, outcome, version);
}
