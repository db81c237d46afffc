/* A report as a page: nothing in its data can end the element that it is in, and pictures are bounded. */
#include "cli/view/html_page.h"
#include "common/memory.h"
#include "coordinator/dashboard/report_page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define PAGE_MAX_BYTES ((size_t)64 * 1024 * 1024)

/* What is between the two parts of the page; it is made a C string. */
static const char *data_of(struct buffer *page)
{
    const char *whole = buffer_string(page);
    size_t before = report_page_before.size;
    size_t after = report_page_after.size;
    assert_true(page->size > before + after);
    assert_memory_equal(whole, report_page_before.data, before);
    assert_memory_equal(whole + page->size - after, report_page_after.data, after);
    page->data[page->size - after] = '\0';
    return whole + before;
}

static struct artifact picture(size_t size, uint8_t *memory)
{
    return (struct artifact){
        .kind = ARTIFACT_SCREENSHOT, .worker = 3, .step = 2, .content = bytes_of(memory, size)};
}

static void markup_in_names_is_none(void **state)
{
    (void)state;
    SCOPED(buffer_finish) struct buffer page;
    buffer_init(&page, PAGE_MAX_BYTES);
    html_page_report("{\"script\": \"</script><!--&\"}", NULL, 0, &page);
    const char *data = data_of(&page);
    assert_null(strpbrk(data, "<>&"));
    assert_non_null(strstr(
        data, "\"report\": {\"script\": \"\\u003c/script\\u003e\\u003c!--\\u0026\"},\n\"artifacts\": []"));
}

static void a_comparison_has_no_pictures(void **state)
{
    (void)state;
    SCOPED(buffer_finish) struct buffer page;
    buffer_init(&page, PAGE_MAX_BYTES);
    html_page_comparison("{\"rows\": [\"<\"]}", &page);
    const char *data = data_of(&page);
    assert_non_null(strstr(data, "\"comparison\": {\"rows\": [\"\\u003c\"]}}\n"));
    assert_null(strstr(data, "artifacts"));
}

static void pictures_are_in_it(void **state)
{
    (void)state;
    uint8_t content[] = {1, 2, 3};
    struct artifact artifacts[] = {picture(3, content), picture(3, content), picture(0, content)};
    SCOPED(buffer_finish) struct buffer page;
    artifacts[0].kind = ARTIFACT_SOURCE;
    buffer_init(&page, PAGE_MAX_BYTES);
    html_page_report("{}", artifacts, 3, &page);
    assert_non_null(
        strstr(data_of(&page),
               "\"artifacts\": [\n{\"number\": 2, \"name\": \"02-worker-3-step-2.png\", \"worker\": 3, "
               "\"step\": 2, \"data\": \"data:image/png;base64,AQID\"}],\n\"pictures_left_out\": 0}"));
}

static void pictures_are_bounded(void **state)
{
    (void)state;
    size_t size = HTML_PICTURES_MAX_BYTES / 3;
    SCOPED(memory_free_at) uint8_t *memory = memory_new(size, 1);
    struct artifact artifacts[5];
    SCOPED(buffer_finish) struct buffer page;
    for (size_t i = 0; i < 5; i++) {
        artifacts[i] = picture(size, memory);
    }
    artifacts[4] = picture(1, memory);
    buffer_init(&page, PAGE_MAX_BYTES);
    html_page_report("{}", artifacts, 5, &page);
    assert_true(page.size < HTML_PICTURES_MAX_BYTES / 3 * 4 + 500000);
    const char *data = data_of(&page);
    assert_non_null(strstr(data, "\"pictures_left_out\": 1}"));
    assert_non_null(strstr(data, "{\"number\": 5"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(markup_in_names_is_none),
        cmocka_unit_test(a_comparison_has_no_pictures),
        cmocka_unit_test(pictures_are_in_it),
        cmocka_unit_test(pictures_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
