/* A report, or a comparison of reports, as one page that needs nothing else. */
#include "cli/view/html_page.h"
#include "common/base64.h"
#include "coordinator/dashboard/report_page.h"

/* JSON, in which such a character can only be in a text: as an escape it means the same, and no text can end
 * the element that it is in, or begin a comment. */
static void html_page_append_json(struct buffer *text, const char *json)
{
    const char *from = json;
    for (; *json != '\0'; json++) {
        if (*json == '<' || *json == '>' || *json == '&') {
            buffer_append(text, from, (size_t)(json - from));
            buffer_append_format(text, "\\u%04x", (unsigned)*json);
            from = json + 1;
        }
    }
    buffer_append(text, from, (size_t)(json - from));
}

static void html_page_append_picture(struct buffer *text, const struct artifact *artifact, size_t number,
                                     bool is_first)
{
    char name[ARTIFACT_NAME_BYTES];
    artifact_name(artifact, number, name);
    buffer_append_format(
        text,
        "%s\n{\"number\": %zu, \"name\": \"%s\", \"worker\": %u, \"step\": %llu, \"data\": \"data:%s;base64,",
        is_first ? "" : ",", number, name, (unsigned)artifact->worker, (unsigned long long)artifact->step,
        artifact_content_type(artifact));
    /* One that does not fit leaves the buffer marked, as any other text that does not. */
    bool fits = base64_encode(text, artifact->content);
    (void)fits;
    buffer_append_string(text, "\"}");
}

static void html_page_append_pictures(struct buffer *text, const struct artifact *artifacts, size_t count)
{
    size_t bytes = 0;
    size_t shown = 0;
    size_t left_out = 0;
    buffer_append_string(text, ",\n\"artifacts\": [");
    for (size_t i = 0; i < count; i++) {
        if (artifacts[i].kind != ARTIFACT_SCREENSHOT || artifacts[i].content.size == 0) {
            continue;
        }
        if (bytes + artifacts[i].content.size > HTML_PICTURES_MAX_BYTES) {
            left_out++;
            continue;
        }
        bytes += artifacts[i].content.size;
        html_page_append_picture(text, &artifacts[i], i + 1, shown++ == 0);
    }
    buffer_append_format(text, "],\n\"pictures_left_out\": %zu", left_out);
}

static void html_page_begin(struct buffer *text, const char *key, const char *json)
{
    buffer_append(text, report_page_before.data, report_page_before.size);
    buffer_append_format(text, "\n{\"version\": \"%s\",\n\"%s\": ", TUTTI_VERSION, key);
    html_page_append_json(text, json);
}

static void html_page_end(struct buffer *text)
{
    buffer_append_string(text, "}\n");
    buffer_append(text, report_page_after.data, report_page_after.size);
}

void html_page_report(const char *json, const struct artifact *artifacts, size_t artifact_count,
                      struct buffer *text)
{
    html_page_begin(text, "report", json);
    html_page_append_pictures(text, artifacts, artifact_count);
    html_page_end(text);
}

void html_page_comparison(const char *json, struct buffer *text)
{
    html_page_begin(text, "comparison", json);
    html_page_end(text);
}
