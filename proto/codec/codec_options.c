/* The options of a campaign, between struct campaign_options and Options of tutti.proto, by their table. */
#include "proto/codec/codec_internal.h"

#include "proto/codec/protobuf_writer.h"
#include "proto/message/campaign_option.h"
#include "proto/message/limits.h"

#include <assert.h>

/* The field of the same name on the wire; size 0: the row has none. A row whose field tutti.proto does not
 * have does not compile. */
static const struct wire_option {
    size_t offset;
    size_t size;
} wire_options[CAMPAIGN_OPTION_COUNT] = {
#define WIRE_OPTION(field) {offsetof(Tutti__V1__Options, field), sizeof(((Tutti__V1__Options *)NULL)->field)},
#define CAMPAIGN_OPTION(type, field, key, ...) WIRE_OPTION(field)
#define CAMPAIGN_OPTION_OF_START(type, field, key, ...) WIRE_OPTION(field)
#define CAMPAIGN_KEY(type, field, key, ...) WIRE_OPTION(field)
#define CAMPAIGN_FIELD(type, field, ...) WIRE_OPTION(field)
#define CAMPAIGN_WORD(word, ...) {0, 0},
#include "proto/message/campaign_options.inc"
};

static void put_wire_option(const struct campaign_option *row, const struct wire_option *field,
                            const struct campaign_options *options, Tutti__V1__Options *wire)
{
    const void *from = (const char *)options + row->option.offset;
    void *to = (char *)wire + field->offset;
    const struct bytes *bytes = from;
    switch (row->option.type) {
    case OPTION_FLAG:
        *(protobuf_c_boolean *)to = *(const bool *)from;
        return;
    case OPTION_REAL:
        *(double *)to = *(const double *)from;
        return;
    case OPTION_BYTES:
        assert(bytes->size <= option_maximum(&row->option));
        *(ProtobufCBinaryData *)to =
            (ProtobufCBinaryData){.len = bytes->size, .data = (uint8_t *)(uintptr_t)bytes->data};
        return;
    default:
        if (field->size == sizeof(uint64_t)) {
            *(uint64_t *)to = option_number(&row->option, options);
        } else {
            *(uint32_t *)to = (uint32_t)option_number(&row->option, options);
        }
        return;
    }
}

struct options_sink {
    ProtobufCBuffer base; /* first: append gets this */
    struct buffer *buffer;
};

static void options_append(ProtobufCBuffer *base, size_t size, const uint8_t *data)
{
    struct options_sink *sink = (struct options_sink *)base;
    buffer_append(sink->buffer, data, size);
}

void encode_options(struct buffer *into, uint32_t field, const struct campaign_options *options)
{
    Tutti__V1__Options wire = TUTTI__V1__OPTIONS__INIT;
    struct options_sink sink = {.base = {.append = options_append}, .buffer = into};
    assert(options->workers <= LIMIT_WORKERS);
    for (size_t i = 0; i < CAMPAIGN_OPTION_COUNT; i++) {
        if (wire_options[i].size > 0) {
            put_wire_option(&campaign_option_table[i], &wire_options[i], options, &wire);
        }
    }
    size_t opened = protobuf_write_open(into, field);
    (void)tutti__v1__options__pack_to_buffer(&wire, &sink.base);
    protobuf_write_close(into, opened);
}

/* The minimum is not checked: a peer leaves out what is 0. A counter (verbosity) has no limit here. */
static bool take_wire_number(const struct campaign_option *row, uint64_t number,
                             struct campaign_options *options, struct error *error)
{
    const struct option *option = &row->option;
    if (option->type == OPTION_CHOICE && option_choice(option, (uint32_t)number) == NULL) {
        return error_set(error, "%s: unknown value %llu", row->field, (unsigned long long)number);
    }
    if (option->type != OPTION_CHOICE && option->type != OPTION_COUNT && number > option_maximum(option)) {
        return error_set(error, "%s is %llu, at most %llu are allowed", row->field,
                         (unsigned long long)number, (unsigned long long)option_maximum(option));
    }
    option_put_number(option, options, number);
    return true;
}

static bool take_wire_bytes(const struct campaign_option *row, const ProtobufCBinaryData *wire,
                            struct bytes *bytes, struct error *error)
{
    *bytes = bytes_of(wire->data, wire->len);
    if (wire->len > option_maximum(&row->option)) {
        return error_set(error, "%s has %zu bytes, at most %llu are allowed", row->field, wire->len,
                         (unsigned long long)option_maximum(&row->option));
    }
    return row->option.check == NULL || row->option.check(*bytes, error);
}

static bool take_wire_option(const struct campaign_option *row, const struct wire_option *field,
                             const Tutti__V1__Options *wire, struct campaign_options *options,
                             struct error *error)
{
    const void *from = (const char *)wire + field->offset;
    void *to = (char *)options + row->option.offset;
    double real = 0;
    switch (row->option.type) {
    case OPTION_FLAG:
        *(bool *)to = *(const protobuf_c_boolean *)from != 0;
        return true;
    case OPTION_REAL:
        real = *(const double *)from;
        *(double *)to = real;
        /* Written so that it refuses NaN. */
        return (real >= (double)row->option.minimum && real <= (double)option_maximum(&row->option)) ||
               error_set(error, "%s is not in the range %llu to %llu", row->field,
                         (unsigned long long)row->option.minimum,
                         (unsigned long long)option_maximum(&row->option));
    case OPTION_BYTES:
        return take_wire_bytes(row, from, to, error);
    default:
        return take_wire_number(
            row, field->size == sizeof(uint64_t) ? *(const uint64_t *)from : *(const uint32_t *)from, options,
            error);
    }
}

bool decode_options(const Tutti__V1__Options *wire, struct campaign_options *options, struct error *error)
{
    if (wire == NULL) {
        return error_set(error, "options are missing");
    }
    if (wire->workers == 0) {
        return error_set(error, "a campaign of 0 workers");
    }
    *options = (struct campaign_options){0};
    for (size_t i = 0; i < CAMPAIGN_OPTION_COUNT; i++) {
        if (wire_options[i].size > 0 &&
            !take_wire_option(&campaign_option_table[i], &wire_options[i], wire, options, error)) {
            return false;
        }
    }
    return true;
}
