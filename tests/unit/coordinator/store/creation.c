/* How the campaign of these tests is created. */
#include "tests/unit/coordinator/store/creation.h"

struct coordinator_event creation_event(uint64_t now_ns)
{
    static struct bundle_file file = {.path = {.data = (const uint8_t *)"pad.lua", .size = 7},
                                      .content = {.data = (const uint8_t *)"-- script", .size = 9}};
    return (struct coordinator_event){
        .kind = EVENT_CREATE,
        .now_ns = now_ns,
        .create = {.options = {.workers = 2, .sync_timeout_ms = 60000},
                   .bundle = {.files = &file,
                              .file_count = 1,
                              .hash = bytes_of_string("e3b0c44298fc1c149afbf4c8996fb924"
                                                      "27ae41e4649b934ca495991b7852b855")},
                   .script = bytes_of_string("pad.lua"),
                   .key = bytes_of_string("drawn"),
                   .agents = 1,
                   .deadline_ms = 60000}};
}
