/* Rewrites the seed corpus: make_corpus tests/fuzz/corpus. The files are the same each time. */
#include "common/buffer.h"
#include "common/memory.h"
#include "common/value.h"
#include "coordinator/core/coordinator_pack.h"
#include "coordinator/core/journal/event_log.h"
#include "fuzz.h"
#include "http_corpus.h"
#include "proto/codec/codec.h"
#include "tests/unit/proto/message/message_samples.h"

#include <string.h>
#include <sys/stat.h>

static void write_file(const char *directory, const char *target, const char *name, struct bytes bytes)
{
    char *folder = memory_format("%s/%s", directory, target);
    char *path = memory_format("%s/%s", folder, name);
    (void)mkdir(folder, 0777);
    FILE *stream = fopen(path, "wb");
    FUZZ_CHECK(stream != NULL);
    FUZZ_CHECK(fwrite(bytes.data, 1, bytes.size, stream) == bytes.size);
    FUZZ_CHECK(fclose(stream) == 0);
    memory_free(folder);
    memory_free(path);
}

static void write_messages(const char *directory)
{
    for (int kind = 0; kind < MESSAGE_KIND_COUNT; kind++) {
        struct sample sample;
        struct buffer encoded;
        buffer_init(&encoded, 1u << 20);
        sample_make(&sample, (enum message_kind)kind, SAMPLE_TYPICAL);
        message_encode(&sample.message, &encoded);
        write_file(directory, "message", message_kind_name((enum message_kind)kind), buffer_bytes(&encoded));
        sample_finish(&sample);
        buffer_finish(&encoded);
    }
}

static void write_envelopes(const char *directory)
{
    static const struct envelope ENVELOPES[] = {
        {.incarnation = 1},
        {.incarnation = 0x0123456789abcdef,
         .epoch = 77,
         .sequence = 300,
         .acknowledged = 299,
         .sent_ns = 1700000000000000000,
         .echoed_sent_ns = 1600000000000000000,
         .echo_delay_ns = 12345678},
    };
    static const char *const NAMES[] = {"hello", "full"};
    for (size_t i = 0; i < sizeof ENVELOPES / sizeof *ENVELOPES; i++) {
        struct buffer encoded;
        buffer_init(&encoded, 1000);
        envelope_encode(&ENVELOPES[i], &encoded);
        write_file(directory, "envelope", NAMES[i], buffer_bytes(&encoded));
        buffer_finish(&encoded);
    }
}

static void write_links(const char *directory)
{
    /* 0 the epoch is known; 1 it is not. Then actions, see fuzz_link.c. */
    static const uint8_t LOST[] = {0, 1, 200, 4, 3, 4, 3, 4, 3, 4, 5, 4};
    static const uint8_t ANSWERED[] = {0, 0, 1, 4, 6, 0, 0, 0, 1, 0, 0, 0,
                                       0, 4, 6, 0, 0, 0, 0, 0, 0, 0, 0, 4};
    static const uint8_t FOREIGN[] = {1, 6, 0, 0, 0, 0, 0, 0, 0, 0, 4, 6, 1, 0, 0,
                                      0, 0, 0, 0, 0, 6, 0, 1, 0, 9, 0, 0, 0, 0};
    write_file(directory, "link", "lost", bytes_of(LOST, sizeof LOST));
    write_file(directory, "link", "answered", bytes_of(ANSWERED, sizeof ANSWERED));
    write_file(directory, "link", "foreign", bytes_of(FOREIGN, sizeof FOREIGN));
}

static void write_table(const char *directory)
{
    struct buffer value;
    buffer_init(&value, 1000);
    value_append_table_start(&value, 3);
    value_append_integer(&value, 1);
    value_append_string(&value, bytes_of_string("one"));
    value_append_string(&value, bytes_of_string("z"));
    value_append_boolean(&value, false);
    value_append_string(&value, bytes_of_string("deep"));
    value_append_table_start(&value, 1);
    value_append_boolean(&value, true);
    value_append_number(&value, 0.5);
    FUZZ_CHECK(value_check(buffer_bytes(&value), NULL));
    write_file(directory, "value", "table", buffer_bytes(&value));
    buffer_finish(&value);
}

static void write_values(const char *directory)
{
    struct buffer value;
    buffer_init(&value, 1000);
    value_append_nil(&value);
    write_file(directory, "value", "nil", buffer_bytes(&value));
    buffer_clear(&value);
    value_append_integer(&value, INT64_MAX);
    value_append_integer(&value, 1);
    write_file(directory, "value", "two_integers", buffer_bytes(&value));
    buffer_clear(&value);
    value_append_number(&value, -2.75);
    write_file(directory, "value", "number", buffer_bytes(&value));
    buffer_clear(&value);
    value_append_string(&value, bytes_of_string("text \xe2\x82\xac"));
    write_file(directory, "value", "string", buffer_bytes(&value));
    buffer_finish(&value);
    write_table(directory);
}

static void write_options(const char *directory)
{
    static const char WORDS[] = "-w\0005\0--duration=1.5s\0-vv\0script.lua\0--on-loss\0replace\0--\0-q";
    static const char WRONG[] =
        "--workerz\0--workers=0\0-w99999999999999999999\0--on-loss=never\0--quiet=maybe";
    write_file(directory, "option", "words", bytes_of(WORDS, sizeof WORDS - 1));
    write_file(directory, "option", "wrong", bytes_of(WRONG, sizeof WRONG - 1));
    write_file(directory, "option", "duration", bytes_of_string("250ms"));
    write_file(directory, "option", "fraction", bytes_of_string("1.25h"));
}

static void write_keys(const char *directory)
{
    static const char PAIR[] = "# a comment\n"
                               "public 8(kF[vxlwyicaBKF]PXS{04ot4[O$JN4SFI.Hq&m\n"
                               "secret )*5ykOnecygaIJ/B8Q$BA@$e1Z%[oM:?IWU1)o!F\n";
    static const char AGENT[] = "name host-7\n"
                                "public !-%)<x8.C]{K#7^5PYw@:.EinAog]r<(q-%7P4<G\n"
                                "secret ofqUTZn2.nFaq$@}&m2IH50NTXv}nCq@eaiM9@O6\n"
                                "coordinator 8(kF[vxlwyicaBKF]PXS{04ot4[O$JN4SFI.Hq&m\n";
    static const char LIST[] = "\nagent a1 !-%)<x8.C]{K#7^5PYw@:.EinAog]r<(q-%7P4<G\n"
                               "# two\nagent a2 ca<fBnd#yvb]Y{ouNcQNoaylHOH1#(h4b]?@j7J9";
    write_file(directory, "keys", "pair", bytes_of_string(PAIR));
    write_file(directory, "keys", "agent", bytes_of_string(AGENT));
    write_file(directory, "keys", "list", bytes_of_string(LIST));
}

static void write_csv(const char *directory)
{
    write_file(directory, "csv", "plain", bytes_of_string("name,note\na,1\nb,2\n"));
    write_file(
        directory, "csv", "quoted",
        bytes_of_string("\xef\xbb\xbfname,note\r\n\"a, b\",\"two\nlines\"\r\n\"say \"\"hi\"\"\",\r\n"));
    write_file(directory, "csv", "wrong", bytes_of_string("name\n\"a\"b\n\"c"));
}

/* `selector` says to the target what the bytes are. */
static void write_inside(const char *directory, const char *name, char selector, struct bytes bytes)
{
    struct buffer whole;
    buffer_init(&whole, 1u << 20);
    buffer_append(&whole, &selector, 1);
    buffer_append(&whole, bytes.data, bytes.size);
    write_file(directory, "event_log", name, buffer_bytes(&whole));
    buffer_finish(&whole);
}

static void write_events(const char *directory, struct buffer *journal, struct event_log_writer *writer)
{
    struct bundle_file file = {.path = bytes_of_string("pad.lua"), .content = bytes_of_string("-- script")};
    const struct coordinator_event events[] = {
        {.kind = EVENT_FRAME,
         .now_ns = 2000,
         .frame = {.envelope = {1, 77, 3, 4, 5, 6, 7}, .message = bytes_of_string("message")}},
        {.kind = EVENT_CREATE,
         .now_ns = 3000,
         .create = {.options = {.workers = 5, .sync_timeout_ms = 60000},
                    .bundle = {.files = &file,
                               .file_count = 1,
                               .hash = bytes_of_string(
                                   "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")},
                    .script = bytes_of_string("pad.lua"),
                    .key = bytes_of_string("drawn"),
                    .agents = 1}},
        {.kind = EVENT_STOP, .now_ns = 4000, .stop = {.campaign = 1, .text = bytes_of_string("enough")}},
    };
    static const char *const NAMES[] = {"frame", "create", "stop"};
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        struct buffer event;
        buffer_init(&event, 1u << 20);
        event_encode(&event, 1000, &events[i]);
        write_inside(directory, NAMES[i], 0, buffer_bytes(&event));
        buffer_finish(&event);
        event_log_note(writer, &events[i]);
        struct bytes block = event_log_seal(writer);
        buffer_append(journal, block.data, block.size);
    }
}

static void write_link_inside(const char *directory)
{
    struct buffer packed;
    struct buffer message;
    struct link *link = link_new(3, 77, 1000000000, 1000);
    buffer_init(&packed, 1u << 20);
    buffer_init(&message, 100);
    buffer_append_string(&message, "queued");
    link_send(link, &message);
    link_pack(link, &packed);
    write_inside(directory, "link", 1, buffer_bytes(&packed));
    link_free(&link);
    buffer_finish(&message);
    buffer_finish(&packed);
}

/* An agent says something to the coordinator. */
static void say(struct coordinator *coordinator, struct link *link, const struct message *message)
{
    struct coordinator_effects effects = {0};
    struct coordinator_event event = {.kind = EVENT_FRAME, .now_ns = 3000000};
    struct buffer encoded;
    buffer_init(&encoded, 1u << 20);
    message_encode(message, &encoded);
    if (message->kind == MESSAGE_HELLO) {
        event.frame.envelope = (struct envelope){.incarnation = 5};
        event.frame.message = buffer_bytes(&encoded);
        coordinator_step(coordinator, &event, &effects);
    } else {
        link_send(link, &encoded);
        struct shared *frame = NULL;
        while (link_next_frame(link, event.now_ns, &event.frame.envelope, &frame)) {
            event.frame.message = shared_bytes(frame);
            coordinator_step(coordinator, &event, &effects);
        }
    }
    coordinator_step(coordinator, &(struct coordinator_event){.kind = EVENT_TURN_END, .now_ns = event.now_ns},
                     &effects);
    coordinator_effects_finish(&effects);
    buffer_finish(&encoded);
}

static void say_operation(struct coordinator *coordinator, struct link *link, struct operation operation,
                          uint32_t worker)
{
    worker_set_init(&operation.workers);
    worker_set_add(&operation.workers, worker);
    struct message message = {
        .kind = MESSAGE_OPERATIONS, .campaign = 1, .operations = {.items = &operation, .count = 1}};
    say(coordinator, link, &message);
    worker_set_finish(&operation.workers);
}

/* Of everything that there can be in a campaign that runs there is something. */
static void play_campaign(struct coordinator *coordinator, struct link *link)
{
    struct coordinator_effects effects = {0};
    struct bundle_file file = {.path = bytes_of_string("pad.lua"), .content = bytes_of_string("-- script")};
    say(coordinator, link,
        &(struct message){.kind = MESSAGE_HELLO,
                          .hello = {.version_lowest = PROTOCOL_VERSION,
                                    .version_highest = PROTOCOL_VERSION,
                                    .name = bytes_of_string("a1"),
                                    .host = bytes_of_string("host"),
                                    .cores = 2,
                                    .shards = 1}});
    coordinator_step(
        coordinator,
        &(struct coordinator_event){
            .kind = EVENT_CREATE,
            .now_ns = 3000000,
            .create = {.options = {.workers = 5, .sync_timeout_ms = 60000, .on_loss = ON_LOSS_REPLACE},
                       .bundle = {.files = &file,
                                  .file_count = 1,
                                  .hash = bytes_of_string(
                                      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")},
                       .script = bytes_of_string("pad.lua"),
                       .key = bytes_of_string("drawn"),
                       .agents = 1}},
        &effects);
    coordinator_effects_finish(&effects);
    const struct message done[] = {
        {.kind = MESSAGE_DEPLOYED, .campaign = 1, .done = {.is_ok = true}},
        {.kind = MESSAGE_GLOBAL_DONE, .campaign = 1, .done = {.is_ok = true, .phase = GLOBAL_SETUP}}};
    say(coordinator, link, &done[0]);
    say(coordinator, link, &done[1]);
    static const uint8_t text[] = {'s', 2, 'h', 'i'};
    const struct operation operations[] = {
        {.kind = OPERATION_PAST, .step = 1, .text = bytes_of_string("it failed")},
        {.kind = OPERATION_WRITTEN,
         .name = bytes_of_string("pad"),
         .step = 2,
         .value = bytes_of(text, sizeof text),
         .first_ns = 5,
         .call = 1},
        {.kind = OPERATION_WAIT_READERS, .name = bytes_of_string("pad"), .step = 2},
        {.kind = OPERATION_BARRIER, .name = bytes_of_string("rush"), .step = 2},
        {.kind = OPERATION_WAIT_CHANGED,
         .room = ROOM_CAMPAIGN,
         .name = bytes_of_string("x"),
         .expected = bytes_of(text, sizeof text),
         .timeout_ms = 5},
        {.kind = OPERATION_GET_OR_MAKE, .room = ROOM_CAMPAIGN, .name = bytes_of_string("y"), .call = 2},
        {.kind = OPERATION_ENDED, .text = bytes_of_string("a failed set-up")},
    };
    static const uint32_t WORKERS[] = {0, 0, 0, 1, 2, 3, 4};
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
        say_operation(coordinator, link, operations[i], WORKERS[i]);
    }
}

static void write_live_base(const char *directory)
{
    struct buffer base;
    const struct coordinator_settings settings = coordinator_default_settings(77);
    struct coordinator *coordinator = coordinator_new(&settings);
    struct link *link = link_new(5, 77, 1000000000, 1000);
    buffer_init(&base, 1u << 20);
    play_campaign(coordinator, link);
    coordinator_pack(coordinator, &base);
    write_inside(directory, "live", 2, buffer_bytes(&base));
    buffer_finish(&base);
    link_free(&link);
    coordinator_free(&coordinator);
}

static void write_ledgers(const char *directory)
{
    struct buffer base;
    struct buffer journal;
    struct event_log_writer writer;
    const struct coordinator_settings settings = coordinator_default_settings(77);
    struct coordinator *coordinator = coordinator_new(&settings);
    buffer_init(&base, 1u << 20);
    buffer_init(&journal, 1u << 20);
    event_log_writer_init(&writer);
    coordinator_pack(coordinator, &base);
    write_inside(directory, "base", 2, buffer_bytes(&base));
    event_log_begin_base(&writer, &(struct event_log_head){.build = bytes_of_string("build")}, &journal);
    coordinator_pack(coordinator, &journal);
    if (event_log_seal_base(&journal)) {
        write_events(directory, &journal, &writer);
        write_file(directory, "event_log", "journal", buffer_bytes(&journal));
    }
    write_link_inside(directory);
    write_live_base(directory);
    coordinator_free(&coordinator);
    event_log_writer_finish(&writer);
    buffer_finish(&base);
    buffer_finish(&journal);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
        return 2;
    }
    (void)mkdir(argv[1], 0777);
    write_messages(argv[1]);
    write_envelopes(argv[1]);
    write_links(argv[1]);
    write_values(argv[1]);
    write_options(argv[1]);
    write_keys(argv[1]);
    write_csv(argv[1]);
    write_ledgers(argv[1]);
    http_corpus_write(argv[1], write_file);
    return 0;
}
