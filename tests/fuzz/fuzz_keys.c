/* Any bytes as the files of keys: a pair, an agent's key, a list. */
#include "fuzz.h"

#include "common/memory.h"
#include "proto/keys/allow_list.h"
#include "proto/keys/keys.h"

#include <string.h>

static void check_error(const struct error *error)
{
    FUZZ_CHECK(strlen(error->text) > 0 && strlen(error->text) < sizeof error->text);
}

static void check_pair(struct bytes text)
{
    struct key_pair pair;
    struct key_pair again;
    struct error error;
    if (!key_pair_parse(text, &pair, &error)) {
        check_error(&error);
        return;
    }
    FUZZ_CHECK(key_is_valid(bytes_of_string(pair.public_key)) &&
               key_is_valid(bytes_of_string(pair.secret_key)));
    struct buffer written;
    buffer_init(&written, KEY_FILE_MAX_BYTES);
    key_pair_format(&pair, &written);
    FUZZ_CHECK(key_pair_parse(buffer_bytes(&written), &again, &error));
    FUZZ_CHECK(memcmp(&pair, &again, sizeof pair) == 0);
    buffer_finish(&written);
}

static void check_agent(struct bytes text)
{
    struct agent_key key;
    struct agent_key again;
    struct error error;
    if (!agent_key_parse(text, &key, &error)) {
        check_error(&error);
        return;
    }
    FUZZ_CHECK(key_name_check(bytes_of_string(key.name), &error));
    FUZZ_CHECK(strchr(key.name, '/') == NULL && key.name[0] != '.');
    struct buffer written;
    buffer_init(&written, KEY_FILE_MAX_BYTES);
    agent_key_format(&key, &written);
    FUZZ_CHECK(agent_key_parse(buffer_bytes(&written), &again, &error));
    FUZZ_CHECK(strcmp(key.name, again.name) == 0 && strcmp(key.coordinator, again.coordinator) == 0 &&
               strcmp(key.token, again.token) == 0);
    buffer_finish(&written);
}

static void check_list(struct bytes text)
{
    struct error error;
    struct allow_list *list = allow_list_parse(text, &error);
    if (list == NULL) {
        check_error(&error);
        return;
    }
    struct buffer written;
    buffer_init(&written, ALLOW_LIST_MAX_BYTES);
    allow_list_format(list, &written);
    FUZZ_CHECK(!written.has_overflowed);
    struct allow_list *again = allow_list_parse(buffer_bytes(&written), &error);
    FUZZ_CHECK(again != NULL && allow_list_size(again) == allow_list_size(list));
    allow_list_free(&again);
    allow_list_free(&list);
    buffer_finish(&written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = bytes_of(data, size);
    check_pair(text);
    check_agent(text);
    check_list(text);
    return 0;
}
