/* What the formats of lines share: one second of a series, column by column. */
#include "coordinator/live/line_text.h"

#include <string.h>

#define US_PER_MS 1e3
#define US_PER_S 1e6

bool line_row_is_used(const struct series_row_view *row)
{
    for (size_t i = 0; i < SERIES_GROUP_COLUMNS[row->group].counter_count; i++) {
        if (row->values[i] != 0) {
            return true;
        }
    }
    return false;
}

bool line_column_is_state(enum series_group group, size_t column)
{
    return column >= SERIES_GROUP_COLUMNS[group].counter_count || series_column(group, column).is_maximum;
}

bool line_column_has_value(const struct series_row_view *row, size_t column)
{
    return column < SERIES_GROUP_COLUMNS[row->group].counter_count || row->values[column] != SERIES_NONE;
}

bool line_unit_is_whole(enum series_unit unit)
{
    return unit == SERIES_COUNT || unit == SERIES_BYTES;
}

void line_append_value(struct buffer *into, enum series_unit unit, int64_t value)
{
    switch (unit) {
    case SERIES_US_AS_MS:
        buffer_append_format(into, "%.15g", (double)value / US_PER_MS);
        break;
    case SERIES_US_AS_S:
        buffer_append_format(into, "%.15g", (double)value / US_PER_S);
        break;
    case SERIES_COUNT:
    case SERIES_BYTES:
        buffer_append_format(into, "%lld", (long long)value);
        break;
    }
}

const struct series_row_view *line_find_row(const struct series_view *view, const struct series_row_view *row,
                                            size_t *from)
{
    for (size_t i = *from; view != NULL && i < view->row_count; i++) {
        const struct series_row_view *found = &view->rows[i];
        if (found->group == row->group && found->is_total == row->is_total &&
            bytes_equal(found->name.bytes, row->name.bytes)) {
            *from = i + 1;
            return found;
        }
    }
    return NULL;
}

void line_append_group(struct buffer *into, const struct series_row_view *row)
{
    const struct series_group_columns *columns = &SERIES_GROUP_COLUMNS[row->group];
    buffer_append_string(into, row->is_total ? columns->key : columns->key_by_name);
    buffer_append_string(into, row->is_total ? "" : "_by_name");
}

void line_append_name(struct buffer *into, struct bytes name, const char *others)
{
    while (name.size > 0) {
        uint32_t character = 0;
        size_t size = bytes_character(name, &character);
        bool is_good = size > 0 && bytes_character_is_printable(character) &&
                       (character > 0x7f || strchr(others, (int)character) == NULL);
        if (is_good) {
            (void)buffer_append(into, name.data, size);
        } else {
            buffer_append_string(into, "_");
        }
        size = size > 0 ? size : 1;
        name = bytes_of(name.data + size, name.size - size);
    }
}
