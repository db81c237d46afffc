/* What is counted by tag, and in groups. */
#include "proto/codec/codec_internal.h"
#include "proto/codec/protobuf_writer.h"
#include "proto/message/limits.h"
#include "proto/message/tag_combinations.h"

#include <assert.h>

void put_slices(const struct statistics *statistics, struct buffer *into)
{
    for (size_t i = 0; i < statistics->slice_count; i++) {
        const struct slice_statistics *slice = &statistics->slices[i];
        assert((unsigned)slice->kind < SLICE_KINDS);
        size_t opened = protobuf_write_open(into, 60);
        put_name(into, 1, slice->name);
        protobuf_write_number(into, 2, slice->kind);
        put_name(into, 3, slice->tag);
        protobuf_write_number(into, 4, slice->count);
        protobuf_write_number(into, 5, slice->failed);
        protobuf_write_number(into, 6, slice->forgiven);
        put_histogram(into, 7, slice->us);
        protobuf_write_close(into, opened);
    }
}

/* Nothing but a group is counted without a tag. */
static bool take_tag(const Tutti__V1__SliceStatistics *wire, struct slice_statistics *slice,
                     struct error *error)
{
    struct bytes name;
    struct bytes value;
    if (wire->kind >= SLICE_KINDS) {
        return error_set(error, "no kind %u of what has tags", wire->kind);
    }
    slice->kind = (enum slice_kind)wire->kind;
    if (wire->tag.len == 0) {
        return slice->kind == SLICE_GROUP || error_set(error, "a tag is empty");
    }
    return take_printable_name(&wire->tag, "a tag", &slice->tag, error) &&
           (tag_text_is_combination(slice->tag) ||
            (tag_split(slice->tag, &name, &value) &&
             (tag_name_is_good(name) || bytes_equal_string(name, TAG_OTHER)) && tag_value_is_good(value)) ||
            error_set(error, "a tag is no NAME=VALUE"));
}

bool take_slices(const Tutti__V1__Statistics *wire, uint64_t *buckets_left, struct decoding *decoding)
{
    struct slice_statistics *slices = arena_array(decoding->arena, wire->n_slices, sizeof *slices);
    decoding->message->statistics.slices = slices;
    decoding->message->statistics.slice_count = wire->n_slices;
    for (size_t i = 0; i < wire->n_slices; i++) {
        const Tutti__V1__SliceStatistics *from = wire->slices[i];
        slices[i].count = from->count;
        slices[i].failed = from->failed;
        slices[i].forgiven = from->forgiven;
        if (!take_name(&from->name, "name of what has a tag", &slices[i].name, decoding->error) ||
            !take_tag(from, &slices[i], decoding->error) ||
            !take_histogram(from->us, &slices[i].us, buckets_left, decoding)) {
            return false;
        }
    }
    return true;
}
