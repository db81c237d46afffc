/* What was counted second by second: of the server or the archive, all of it or a part. */
#include "coordinator/api/api_inside.h"

#include "common/digits.h"
#include "common/memory.h"
#include "coordinator/json/series_json.h"

#include <string.h>

struct series_wish {
    bool is_part;
    uint64_t since_s;
    struct series_choice choice;
};

bool api_read_since(const struct http_exchange *request, bool *is_given, uint64_t *since_s,
                    struct error *error)
{
    const char *since = http_argument(request, "since");
    *is_given = since != NULL;
    return since == NULL || digits_are(since, since_s) ||
           error_set(error, "since is not a number of seconds");
}

/* "requests.login" */
static bool wish_read_name(const char *text, struct series_choice *choice)
{
    size_t size = strcspn(text, ".");
    for (int group = 0; group < SERIES_GROUP_COUNT; group++) {
        const char *key = SERIES_GROUP_COLUMNS[group].key_by_name;
        if (key != NULL && strlen(key) == size && strncmp(key, text, size) == 0 && text[size] == '.') {
            choice->group = (enum series_group)group;
            choice->name = bytes_of_string(text + size + 1);
        }
    }
    return choice->name.size > 0;
}

static bool wish_read(const struct http_exchange *request, struct series_wish *wish, struct error *error)
{
    const char *only = http_argument(request, "only");
    const char *name = http_argument(request, "name");
    if (!api_read_since(request, &wish->is_part, &wish->since_s, error)) {
        return false;
    }
    if (only != NULL && strcmp(only, "total") != 0) {
        return error_set(error, "only is not \"total\"");
    }
    if (name != NULL && !wish_read_name(name, &wish->choice)) {
        return error_set(error, "name is not like requests.NAME, tags.tier=gold or waits.NAME.barrier");
    }
    wish->choice.is_totals = only != NULL;
    wish->is_part = wish->is_part || only != NULL || name != NULL;
    return true;
}

char *api_series_text(const struct api *api, uint64_t campaign)
{
    SCOPED(series_view_free) struct series_view *view = server_series(api->server, campaign);
    if (view != NULL) {
        return series_json(view);
    }
    return api->archive != NULL ? archive_series(api->archive, campaign) : NULL;
}

static struct series_view *archived_view(const struct api *api, uint64_t campaign)
{
    SCOPED(memory_free_at) char *text = api->archive != NULL ? archive_series(api->archive, campaign) : NULL;
    json_t *object = text != NULL ? json_loads(text, 0, NULL) : NULL;
    struct series_view *view = object != NULL ? series_json_read(object) : NULL;
    json_decref(object);
    return view;
}

static char *api_series_part(const struct api *api, uint64_t campaign, const struct series_wish *wish)
{
    const struct series *series = server_series_inside(api->server, campaign);
    SCOPED(series_view_free)
    struct series_view *view =
        series != NULL ? series_view_chosen(series, &wish->choice) : archived_view(api, campaign);
    if (view == NULL) {
        return NULL;
    }
    series_view_choose(view, &wish->choice);
    series_view_cut(view, wish->since_s);
    return series_json(view);
}

void api_show_series(struct api *api, struct http_exchange *request, uint64_t campaign)
{
    struct series_wish wish = {0};
    struct error error;
    if (!wish_read(request, &wish, &error)) {
        api_answer_error(request, 400, "%s", error.text);
        return;
    }
    SCOPED(memory_free_at)
    char *text = wish.is_part ? api_series_part(api, campaign, &wish) : api_series_text(api, campaign);
    if (text == NULL) {
        api_answer_error(request, 404, "there is no series of campaign %llu, or not any more",
                         (unsigned long long)campaign);
        return;
    }
    http_answer(request, &(struct http_answer){.status = 200,
                                               .content_type = "application/json",
                                               .body = bytes_of_string(text)});
}
