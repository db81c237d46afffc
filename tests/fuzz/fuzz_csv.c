/* Any bytes as CSV: every record ends, lies within the text, and reads the same from where it begins. */
#include "fuzz.h"

#include "agent/script/csv.h"

static bool is_inside(struct bytes text, struct bytes raw)
{
    return raw.size == 0 || (raw.data >= text.data && raw.data + raw.size <= text.data + text.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = bytes_of(data, size);
    struct csv_reader reader;
    struct csv_record record;
    struct csv_record again;
    struct error error;
    csv_start(&reader, text, ',');
    for (size_t at = reader.at; csv_read(&reader, &record, &error) == CSV_RECORD; at = reader.at) {
        FUZZ_CHECK(reader.at > at && reader.at <= size && record.at >= at && record.line <= reader.line);
        FUZZ_CHECK(record.count > 0 && record.count <= CSV_MOST_FIELDS);
        struct csv_reader second = {.text = text, .at = record.at, .separator = reader.separator};
        FUZZ_CHECK(csv_read(&second, &again, &error) == CSV_RECORD);
        FUZZ_CHECK(second.at == reader.at && again.count == record.count);
        for (size_t i = 0; i < record.count; i++) {
            FUZZ_CHECK(is_inside(text, record.fields[i].raw));
            FUZZ_CHECK(bytes_equal(record.fields[i].raw, again.fields[i].raw));
        }
    }
    return 0;
}
