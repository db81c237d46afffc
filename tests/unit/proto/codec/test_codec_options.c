/* The table of a campaign's options against tutti.proto, and each of them over the wire. */
#include "proto/codec/codec.h"
#include "proto/message/campaign_option.h"
#include "tests/unit/common/check.h"

#include <string.h>
#include <tutti.pb-c.h>

#define HASH "0123456789012345678901234567890123456789012345678901234567890123"

static const struct campaign_option *row_of(const char *field)
{
    for (size_t i = 0; i < CAMPAIGN_OPTION_COUNT; i++) {
        const struct campaign_option *row = &campaign_option_table[i];
        if (row->field != NULL && strcmp(row->field, field) == 0) {
            return row;
        }
    }
    return NULL;
}

static bool is_of_type(const struct option *option, ProtobufCType type)
{
    switch (option->type) {
    case OPTION_FLAG:
        return type == PROTOBUF_C_TYPE_BOOL;
    case OPTION_COUNT:
        return type == PROTOBUF_C_TYPE_UINT32;
    case OPTION_NUMBER:
    case OPTION_DURATION:
        return option->size == sizeof(uint64_t)
                   ? type == PROTOBUF_C_TYPE_UINT64 || type == PROTOBUF_C_TYPE_FIXED64
                   : type == PROTOBUF_C_TYPE_UINT32;
    case OPTION_REAL:
        return type == PROTOBUF_C_TYPE_DOUBLE;
    case OPTION_BYTES:
        return type == PROTOBUF_C_TYPE_BYTES;
    case OPTION_CHOICE:
        return type == PROTOBUF_C_TYPE_ENUM;
    default:
        return false;
    }
}

static void test_schema_and_table_have_the_same_fields(void **state)
{
    (void)state;
    const ProtobufCMessageDescriptor *schema = &tutti__v1__options__descriptor;
    size_t fields = 0;
    for (size_t i = 0; i < CAMPAIGN_OPTION_COUNT; i++) {
        fields += campaign_option_table[i].field != NULL;
    }
    assert_int_equal(schema->n_fields, fields);
    for (unsigned i = 0; i < schema->n_fields; i++) {
        const struct campaign_option *row = row_of(schema->fields[i].name);
        if (row == NULL || schema->fields[i].label == PROTOBUF_C_LABEL_REPEATED ||
            !is_of_type(&row->option, schema->fields[i].type)) {
            fail_msg("%s of tutti.proto has no row of its type", schema->fields[i].name);
        }
    }
}

static void test_choices_are_the_values_of_their_enum(void **state)
{
    (void)state;
    for (unsigned i = 0; i < tutti__v1__options__descriptor.n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &tutti__v1__options__descriptor.fields[i];
        if (field->type != PROTOBUF_C_TYPE_ENUM) {
            continue;
        }
        const ProtobufCEnumDescriptor *schema = field->descriptor;
        const struct option *option = &row_of(field->name)->option;
        for (unsigned j = 0; j < schema->n_values; j++) {
            assert_non_null(option_choice(option, (uint32_t)schema->values[j].value));
        }
        for (size_t j = 0; option->choices[j] != NULL; j++) {
            uint32_t value = 0;
            assert_true(option_find_choice(option, option->choices[j], &value));
            assert_non_null(protobuf_c_enum_descriptor_get_value(schema, (int)value));
        }
    }
}

static void encode(const struct campaign_options *options, struct buffer *into)
{
    struct bundle_entry file = {.path = bytes_of_string("pad.lua"), .size_bytes = 3};
    const struct message message = {
        .kind = MESSAGE_DEPLOY,
        .campaign = 1,
        .deploy = {.options = *options,
                   .bundle = {.files = &file, .file_count = 1, .hash = bytes_of_string(HASH)}}};
    buffer_init(into, 10000);
    message_encode(&message, into);
}

/* A text that the row accepts. */
static struct bytes sample_text(const struct option *option)
{
    static const char *const texts[] = {"a=b", "10.0.0.0/28",   "a:80:10.0.0.7",   "5/s",    "5s:5/s",
                                        "5s",  "http.p95 < 1s", "p95=200ms;max=5", "firefox"};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (option->check == NULL || option->check(bytes_of_string(texts[i]), NULL)) {
            return bytes_of_string(texts[i]);
        }
    }
    static const char environment[] = "A=1";
    if (option->check(bytes_of(environment, sizeof environment), NULL)) {
        return bytes_of(environment, sizeof environment);
    }
    fail_msg("no text for %s", option->name);
    return bytes_of(NULL, 0);
}

/* Something other than 0, within the row's range. */
static void set_sample(const struct option *option, struct campaign_options *options)
{
    void *at = (char *)options + option->offset;
    switch (option->type) {
    case OPTION_FLAG:
        *(bool *)at = true;
        break;
    case OPTION_REAL:
        *(double *)at = 2.5;
        break;
    case OPTION_BYTES:
        *(struct bytes *)at = sample_text(option);
        break;
    case OPTION_CHOICE:
        option_put_number(option, options, 1);
        break;
    default:
        option_put_number(option, options, 7);
        break;
    }
}

static bool is_same(const struct option *option, const struct campaign_options *left,
                    const struct campaign_options *right)
{
    const void *of_left = (const char *)left + option->offset;
    const void *of_right = (const char *)right + option->offset;
    switch (option->type) {
    case OPTION_FLAG:
        return *(const bool *)of_left == *(const bool *)of_right;
    case OPTION_REAL:
        return memcmp(of_left, of_right, sizeof(double)) == 0;
    case OPTION_BYTES:
        return bytes_equal(*(const struct bytes *)of_left, *(const struct bytes *)of_right);
    default:
        return option_number(option, left) == option_number(option, right);
    }
}

static void test_each_option_arrives_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < CAMPAIGN_OPTION_COUNT; i++) {
        if (campaign_option_table[i].field == NULL) {
            continue;
        }
        struct campaign_options options = {.workers = 1};
        struct message message = {0};
        struct error error;
        SCOPED(buffer_finish) struct buffer encoded;
        set_sample(&campaign_option_table[i].option, &options);
        encode(&options, &encoded);
        assert_true(message_decode(buffer_bytes(&encoded), &message, &error));
        for (size_t j = 0; j < CAMPAIGN_OPTION_COUNT; j++) {
            const struct campaign_option *row = &campaign_option_table[j];
            if (row->field != NULL && !is_same(&row->option, &options, &message.deploy.options)) {
                fail_msg("%s set: %s is another one", campaign_option_table[i].field, row->field);
            }
        }
        message_finish(&message);
    }
}

/* Agents and journals of older versions have to understand it. A new option is not in it: it is 0 here. */
static void test_bytes_are_those_of_the_first_version(void **state)
{
    (void)state;
    static const uint8_t expected[] = {
        0x0a, 0x5d, 0x08, 0xac, 0x02, 0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01,
        0x18, 0xe8, 0x07, 0x20, 0x02, 0x28, 0x03, 0x30, 0x04, 0x38, 0x03, 0x40, 0x01, 0x48, 0xe0, 0xd4,
        0x03, 0x51, 0x09, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x58, 0x01, 0x62, 0x03, 0x70, 0x61,
        0x64, 0x68, 0x01, 0x70, 0x07, 0x79, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x40, 0x82, 0x01,
        0x08, 0x68, 0x74, 0x74, 0x70, 0x3a, 0x2f, 0x2f, 0x74, 0x88, 0x01, 0x02, 0xa0, 0x01, 0x90, 0x3f,
        0xaa, 0x01, 0x06, 0x7a, 0x6f, 0x6e, 0x65, 0x3d, 0x61, 0xb0, 0x01, 0x02, 0xb8, 0x01, 0x05};
    const struct campaign_options options = {.workers = 300,
                                             .runs = UINT64_MAX,
                                             .duration_ms = 1000,
                                             .ramp_up_ms = 2,
                                             .delay_ms = 3,
                                             .room_size = 4,
                                             .on_loss = ON_LOSS_REPLACE_AGAIN,
                                             .on_deadlock = ON_DEADLOCK_FAIL,
                                             .sync_timeout_ms = 60000,
                                             .setup_timeout_ms = 5,
                                             .seed = 9,
                                             .is_single_run = true,
                                             .single_mode = bytes_of_string("pad"),
                                             .is_stopped_by_failure = true,
                                             .fail_steps = 7,
                                             .fail_percent = 2.5,
                                             .target = bytes_of_string("http://t"),
                                             .verbosity = 2,
                                             .browser = BROWSER_WEBKIT,
                                             .target_port = 8080,
                                             .labels = bytes_of_string("zone=a")};
    SCOPED(buffer_finish) struct buffer encoded;
    encode(&options, &encoded);
    struct bytes bytes = buffer_bytes(&encoded);
    assert_true(memmem(bytes.data, bytes.size, expected, sizeof expected) != NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schema_and_table_have_the_same_fields),
        cmocka_unit_test(test_choices_are_the_values_of_their_enum),
        cmocka_unit_test(test_each_option_arrives_alone),
        cmocka_unit_test(test_bytes_are_those_of_the_first_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
