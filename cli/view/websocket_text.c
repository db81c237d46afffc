/* WebSocket connections, for a person. */
#include "cli/view/websocket_text.h"
#include "cli/base/format.h"
#include "cli/base/table.h"
#include "common/time_units.h"

#define ROWS_SHOWN 20u
#define NAME_COLUMNS 40u
#define CELL_BYTES 400

/* "1000 × 5, 1006 × 1" */
static void describe_codes(const struct close_counts *codes, struct buffer *cell)
{
    for (size_t i = 0; i < codes->size; i++) {
        char count[FORMAT_BYTES];
        format_count(codes->items[i].count, count);
        buffer_append_string(cell, i > 0 ? ", " : "");
        if (codes->items[i].code == 0) {
            buffer_append_format(cell, "others × %s", count);
        } else {
            buffer_append_format(cell, "%u × %s", (unsigned)codes->items[i].code, count);
        }
    }
}

static void add_rate(struct table *table, uint64_t count, uint64_t running_ns)
{
    char rate[FORMAT_BYTES] = "";
    if (running_ns > 0) {
        format_rate((double)count * (double)NS_PER_S / (double)running_ns, "", rate);
    }
    table_add(table, bytes_of_string(rate));
}

static void add_connections(struct table *table, const struct report_view *report,
                            const struct websocket_view *websocket)
{
    (void)report;
    SCOPED(buffer_finish) struct buffer cell;
    buffer_init(&cell, CELL_BYTES);
    table_add(table, websocket->name);
    for (int count = WEBSOCKET_COUNT_OPENED; count <= WEBSOCKET_COUNT_LOST; count++) {
        table_add_count(table, websocket->counts[count]);
    }
    table_add_us(table, websocket->handshake.p50_us);
    table_add_us(table, websocket->handshake.p95_us);
    describe_codes(&websocket->codes, &cell);
    table_add(table, buffer_bytes(&cell));
}

/* No round trip takes no time: 0 says that there was none. */
static void add_ping(struct table *table, uint64_t microseconds)
{
    if (microseconds == 0) {
        table_add(table, bytes_of_string("-"));
    } else {
        table_add_us(table, microseconds);
    }
}

static void add_messages(struct table *table, const struct report_view *report,
                         const struct websocket_view *websocket)
{
    table_add(table, websocket->name);
    for (int count = WEBSOCKET_COUNT_MESSAGES_IN; count <= WEBSOCKET_COUNT_DROPPED; count++) {
        table_add_count(table, websocket->counts[count]);
    }
    add_ping(table, websocket->ping.p50_us);
    add_ping(table, websocket->ping.p95_us);
    table_add_us(table, websocket->queued.p95_us);
    add_rate(table, websocket->counts[WEBSOCKET_COUNT_MESSAGES_IN], report->running_ns);
    add_rate(table, websocket->counts[WEBSOCKET_COUNT_MESSAGES_OUT], report->running_ns);
}

static void websocket_append_table(const struct report_view *report, const char *const *columns,
                                   void (*add)(struct table *table, const struct report_view *report,
                                               const struct websocket_view *websocket),
                                   bool has_colour, struct buffer *text)
{
    SCOPED(table_finish) struct table table;
    table_init(&table, columns);
    for (size_t i = 0; i < report->websocket_count && i < ROWS_SHOWN; i++) {
        add(&table, report, &report->websockets[i]);
    }
    buffer_append_string(text, "\n");
    table_print(&table, NAME_COLUMNS, has_colour, text);
}

void websocket_text(const struct report_view *report, bool has_colour, struct buffer *text)
{
    static const char *const connections[] = {"websockets", "opened",   "failed",   "by us",  "by peer",
                                              "lost",       "open p50", "open p95", "<codes", NULL};
    static const char *const messages[] = {"messages",   "in",      "out",      "bytes in",
                                           "bytes out",  "dropped", "ping p50", "ping p95",
                                           "queued p95", "in rate", "out rate", NULL};
    if (report->websocket_count == 0) {
        return;
    }
    websocket_append_table(report, connections, add_connections, has_colour, text);
    websocket_append_table(report, messages, add_messages, has_colour, text);
    if (report->websocket_count > ROWS_SHOWN) {
        buffer_append_format(text, "  and %zu more (--json has all)\n", report->websocket_count - ROWS_SHOWN);
    }
}
