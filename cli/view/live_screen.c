/* The lines that show the progress of a campaign on a terminal. */
#include "cli/view/live_screen.h"
#include "cli/base/format.h"
#include "cli/base/table.h"
#include "cli/view/ascii.h"
#include "cli/view/live_line.h"
#include "common/bytes.h"
#include "common/clock.h"
#include "common/escape.h"

#define LINE_MAX_BYTES 4096u
#define LABEL_COLUMNS 12
#define SHOWN 3u /* of waits, and of thresholds */
#define SHOWN_WHERE_LOW 1u
#define LOW_ROWS 14u
#define WIDE_COLUMNS 100u
#define CHART_COLUMNS 30u
#define CHART_COLUMNS_WHERE_WIDE 60u
#define RATE_SECONDS 10u
#define RED "\033[31m"

enum live_style { STYLE_PLAIN, STYLE_HEAD, STYLE_ALARM };

/* What is being composed. */
struct live_screen {
    const struct report_view *report;
    const struct live_history *history;
    const struct screen_area *area;
    struct buffer *text;
    size_t rows;
    size_t shown; /* of each list */
};

/* The last column stays free: some terminals wrap as soon as it is filled. */
static void live_screen_row(struct live_screen *screen, enum live_style style, struct bytes line)
{
    static const char *const CODES[] = {[STYLE_HEAD] = TABLE_BOLD, [STYLE_ALARM] = RED};
    SCOPED(buffer_finish) struct buffer plain;
    buffer_init(&plain, LINE_MAX_BYTES);
    if (screen->rows == screen->area->rows) {
        return;
    }
    bool is_styled = screen->area->has_colour && style != STYLE_PLAIN;
    if (screen->area->is_ascii) {
        ascii_append(line, &plain);
        line = buffer_bytes(&plain);
    }
    buffer_append_string(screen->text, is_styled ? CODES[style] : "");
    if (screen->area->is_ascii && line.size > screen->area->columns - 1) {
        buffer_append(screen->text, line.data, screen->area->columns - 2);
        buffer_append_string(screen->text, "~");
    } else {
        format_cut(line, screen->area->columns - 1, screen->text);
    }
    buffer_append_string(screen->text, is_styled ? TABLE_PLAIN "\n" : "\n");
    screen->rows++;
}

static void live_screen_label(struct buffer *line, const char *label)
{
    buffer_clear(line);
    buffer_append_format(line, "%-*s", LABEL_COLUMNS, label);
}

/* The name of the campaign, or of its script without the folders. */
static void live_screen_append_name(const struct report_view *report, struct buffer *line)
{
    struct bytes name = report->name.size > 0 ? report->name : report->script;
    for (size_t at = report->name.size > 0 ? 0 : name.size; at > 0; at--) {
        if (name.data[at - 1] == '/') {
            name = bytes_of(name.data + at, name.size - at);
            break;
        }
    }
    buffer_append_string(line, name.size > 0 ? "  " : "");
    escape_text(line, name);
}

static void live_screen_head(struct live_screen *screen)
{
    SCOPED(buffer_finish) struct buffer line;
    buffer_init(&line, LINE_MAX_BYTES);
    live_line_append_head(screen->report, &line);
    live_screen_append_name(screen->report, &line);
    live_screen_row(screen, STYLE_HEAD, buffer_bytes(&line));
}

static void live_screen_append_most(struct buffer *line, const char *most)
{
    buffer_append_format(line, "  most %s", most);
}

static void live_screen_chart(const struct live_screen *screen, const double *values, struct buffer *line)
{
    bool is_wide = screen->area->columns >= WIDE_COLUMNS;
    live_history_draw(screen->history, values, is_wide ? CHART_COLUMNS_WHERE_WIDE : CHART_COLUMNS, line);
    buffer_append_string(line, "  ");
}

/* The rate is that of the last ten seconds, as in the report while it runs; of steps where no request was
 * made. */
static void live_screen_rate(struct live_screen *screen)
{
    const struct report_view *report = screen->report;
    SCOPED(buffer_finish) struct buffer line;
    char text[FORMAT_BYTES];
    bool has_requests = report->requests_total > 0;
    double most = live_history_most(screen->history->rates);
    buffer_init(&line, LINE_MAX_BYTES);
    live_screen_label(&line, has_requests ? "requests" : "steps");
    live_screen_chart(screen, screen->history->rates, &line);
    format_rate(has_requests ? report->requests_per_s : live_history_rate(screen->history, RATE_SECONDS), "",
                text);
    buffer_append_string(&line, text);
    if (has_requests && report->failed_per_s > 0) {
        format_rate(report->failed_per_s, "failed", text);
        buffer_append_format(&line, ", %s", text);
    } else if (most > 0) {
        format_rate(most, "", text);
        live_screen_append_most(&line, text);
    }
    live_screen_row(screen, has_requests && report->failed_per_s > 0 ? STYLE_ALARM : STYLE_PLAIN,
                    buffer_bytes(&line));
}

static void live_screen_p95(struct live_screen *screen)
{
    SCOPED(buffer_finish) struct buffer line;
    char text[FORMAT_BYTES];
    double most = live_history_most(screen->history->p95_us);
    buffer_init(&line, LINE_MAX_BYTES);
    if (screen->report->requests_total == 0) {
        return;
    }
    live_screen_label(&line, "p95");
    live_screen_chart(screen, screen->history->p95_us, &line);
    format_us(screen->report->recent.p95_us, text);
    buffer_append_string(&line, text);
    if (most > 0) {
        format_us((uint64_t)most, text);
        live_screen_append_most(&line, text);
    }
    live_screen_row(screen, STYLE_PLAIN, buffer_bytes(&line));
}

/* "2 more" */
static void live_screen_rest(struct live_screen *screen, size_t count, const char *what)
{
    SCOPED(buffer_finish) struct buffer line;
    buffer_init(&line, LINE_MAX_BYTES);
    if (count == 0) {
        return;
    }
    live_screen_label(&line, "");
    buffer_append_format(&line, "%zu more%s", count, what);
    live_screen_row(screen, STYLE_PLAIN, buffer_bytes(&line));
}

static void live_screen_waits(struct live_screen *screen)
{
    const struct report_view *report = screen->report;
    SCOPED(buffer_finish) struct buffer line;
    char text[FORMAT_BYTES];
    buffer_init(&line, LINE_MAX_BYTES);
    size_t shown = report->crowd_count < screen->shown ? report->crowd_count : screen->shown;
    for (size_t i = 0; i < shown; i++) {
        const struct wait_crowd *crowd = &report->crowds[i];
        live_screen_label(&line, i == 0 ? "waits" : "");
        format_count(crowd->workers, text);
        buffer_append_format(&line, "%s for ", text);
        format_us(crowd->oldest_ns / 1000, text);
        SCOPED(buffer_finish) struct buffer what;
        buffer_init(&what, LINE_MAX_BYTES);
        wait_crowd_describe(crowd, &what);
        SCOPED(buffer_finish) struct buffer age;
        buffer_init(&age, LINE_MAX_BYTES);
        buffer_append_format(&age, ", oldest %s", text);
        size_t taken = line.size + format_columns(buffer_bytes(&age));
        size_t room = screen->area->columns - 1;
        format_cut(buffer_bytes(&what), room > taken ? room - taken : 1, &line);
        buffer_append(&line, age.data, age.size);
        live_screen_row(screen, STYLE_PLAIN, buffer_bytes(&line));
    }
    if (report->crowd_count == 0 && report->waiting.size > 0) {
        live_screen_label(&line, "waits");
        escape_text(&line, report->waiting);
        live_screen_row(screen, STYLE_PLAIN, buffer_bytes(&line));
    }
    live_screen_rest(screen, report->crowd_count - shown, "");
}

static void live_screen_threshold(struct live_screen *screen, const struct threshold_view *threshold,
                                  bool is_first)
{
    SCOPED(buffer_finish) struct buffer line;
    SCOPED(buffer_finish) struct buffer what;
    SCOPED(buffer_finish) struct buffer reached;
    buffer_init(&line, LINE_MAX_BYTES);
    buffer_init(&what, LINE_MAX_BYTES);
    buffer_init(&reached, LINE_MAX_BYTES);
    live_screen_label(&line, is_first ? "thresholds" : "");
    buffer_append_format(&line, "%-7s  ", threshold_outcome_name(threshold->outcome));
    escape_text(&what, threshold->text);
    if (threshold->reached.size > 0) {
        buffer_append_string(&reached, "  now ");
        escape_text(&reached, threshold->reached);
    }
    size_t taken = line.size + format_columns(buffer_bytes(&reached));
    size_t room = screen->area->columns - 1;
    format_cut(buffer_bytes(&what), room > taken ? room - taken : 1, &line);
    buffer_append(&line, reached.data, reached.size);
    live_screen_row(screen, threshold->outcome == THRESHOLD_MISSED ? STYLE_ALARM : STYLE_PLAIN,
                    buffer_bytes(&line));
}

/* Those that are missed first. */
static void live_screen_thresholds(struct live_screen *screen)
{
    static const enum threshold_outcome ORDER[] = {THRESHOLD_MISSED, THRESHOLD_PENDING, THRESHOLD_MET};
    const struct report_view *report = screen->report;
    size_t shown = 0;
    size_t missed = 0;
    for (size_t order = 0; order < sizeof ORDER / sizeof ORDER[0]; order++) {
        for (size_t i = 0; i < report->threshold_count; i++) {
            const struct threshold_view *threshold = &report->thresholds[i];
            if (threshold->outcome != ORDER[order]) {
                continue;
            }
            if (shown < screen->shown) {
                live_screen_threshold(screen, threshold, shown++ == 0);
            } else {
                missed += threshold->outcome == THRESHOLD_MISSED;
            }
        }
    }
    live_screen_rest(screen, report->threshold_count - shown, missed > 0 ? ", some of them missed" : "");
}

/* "3: agent-1 2 workers, agent-2 lost, agent-3 2": those that are lost first. */
static void live_screen_agents(struct live_screen *screen)
{
    const struct report_view *report = screen->report;
    SCOPED(buffer_finish) struct buffer line;
    size_t lost = 0;
    const char *between = ": ";
    buffer_init(&line, LINE_MAX_BYTES);
    for (size_t i = 0; i < report->agent_count; i++) {
        lost += report->agents[i].state == AGENT_LOST;
    }
    live_screen_label(&line, "agents");
    buffer_append_format(&line, "%zu", report->agent_count - lost);
    if (lost > 0) {
        buffer_append_format(&line, ", %zu lost", lost);
    }
    for (int turn = 0; turn < 2; turn++) {
        for (size_t i = 0; i < report->agent_count && line.size < LINE_MAX_BYTES / 2; i++) {
            const struct agent_report *agent = &report->agents[i];
            if ((agent->state == AGENT_LOST) != (turn == 0)) {
                continue;
            }
            buffer_append_string(&line, between);
            between = ", ";
            escape_text(&line, agent->name);
            if (turn == 0) {
                buffer_append_string(&line, " lost");
            } else {
                buffer_append_format(&line, " %u", (unsigned)agent->workers_running);
            }
        }
    }
    if (report->agent_count > 0) {
        live_screen_row(screen, lost > 0 ? STYLE_ALARM : STYLE_PLAIN, buffer_bytes(&line));
    }
}

size_t live_screen_compose(const struct live_history *history, const struct report_view *report,
                           const struct screen_area *area, struct buffer *text)
{
    struct live_screen screen = {.report = report,
                                 .history = history,
                                 .area = area,
                                 .text = text,
                                 .shown = area->rows < LOW_ROWS ? SHOWN_WHERE_LOW : SHOWN};
    live_screen_head(&screen);
    live_screen_rate(&screen);
    live_screen_p95(&screen);
    live_screen_agents(&screen);
    live_screen_thresholds(&screen);
    live_screen_waits(&screen);
    return screen.rows;
}
