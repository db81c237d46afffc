/* Shows the progress of a campaign: as a screen of several lines, or as one. */
#include "cli/view/live_view.h"
#include "cli/view/live_line.h"
#include "cli/view/live_screen.h"

#define LIVE_LINE_MAX_BYTES 1024u

void live_view_show(struct live_view *view, struct screen *screen, const struct report_view *report)
{
    struct screen_area area;
    SCOPED(buffer_finish) struct buffer text;
    live_history_add(&view->history, report);
    if (screen_has_room(screen, &area)) {
        buffer_init(&text, LIVE_SCREEN_MAX_BYTES);
        size_t rows = live_screen_compose(&view->history, report, &area, &text);
        screen_live_rows(screen, buffer_bytes(&text), rows);
    } else {
        buffer_init(&text, LIVE_LINE_MAX_BYTES);
        live_line_compose(report, &text);
        screen_live(screen, buffer_bytes(&text));
    }
}
