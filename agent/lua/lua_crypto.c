/* The module `tutti.crypto`: codings, digests and random bytes, by libcrypto. */
#include "agent/lua/lua_crypto.h"

#include "agent/script/limits.h"
#include "agent/script/lua_error.h"
#include "agent/shard/vu_api.h"
#include "common/base64.h"
#include "common/digits.h"

#include <assert.h>
#include <lauxlib.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

/* What a digest takes and a coding does with an instruction of the budget. */
#define DIGESTED_PER_INSTRUCTION 4u
#define CODED_PER_INSTRUCTION 8u
#define RANDOM_MAX_BYTES (1024 * 1024)
#define SHA256_BYTES 32u

/* Spellings of binary data. */
enum coding { CODING_HEX, CODING_BASE64, CODING_BASE64URL, CODING_RAW };
static const char *const coding_names[] = {"hex", "base64", "base64url", "raw", NULL};

/* A string, and nothing that Lua would make one; charged to the turn. */
static struct bytes check_data(lua_State *lua, int index, const char *what, size_t per_instruction)
{
    size_t size;

    if (lua_type(lua, index) != LUA_TSTRING) {
        lua_misuse(lua, "%s is a string, not a %s", what, luaL_typename(lua, index));
    }
    const char *data = lua_tolstring(lua, index, &size);
    limits_charge(lua, size / per_instruction + 1);
    return bytes_of(data, size);
}

static void push_hex(lua_State *lua, struct bytes data)
{
    static const char digits[] = "0123456789abcdef";
    luaL_Buffer buffer;
    char *into = luaL_buffinitsize(lua, &buffer, 2 * data.size);

    for (size_t i = 0; i < data.size; i++) {
        into[2 * i] = digits[data.data[i] >> 4];
        into[2 * i + 1] = digits[data.data[i] & 15];
    }
    luaL_pushresultsize(&buffer, 2 * data.size);
}

/* RFC 4648 §5: two other letters, and no padding. */
static size_t become_url_safe(char *text, size_t size)
{
    while (size > 0 && text[size - 1] == '=') {
        size--;
    }
    for (size_t i = 0; i < size; i++) {
        text[i] = (char)(text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i]);
    }
    return size;
}

static void push_base64(lua_State *lua, struct bytes data, bool is_url_safe)
{
    luaL_Buffer buffer;
    size_t size = base64_encoded_size(data);
    char *into = luaL_buffinitsize(lua, &buffer, size);

    base64_encode_to(into, data);
    luaL_pushresultsize(&buffer, is_url_safe ? become_url_safe(into, size) : size);
}

static void push_coded(lua_State *lua, struct bytes data, enum coding coding)
{
    switch (coding) {
    case CODING_HEX:
        push_hex(lua, data);
        break;
    case CODING_BASE64:
    case CODING_BASE64URL:
        push_base64(lua, data, coding == CODING_BASE64URL);
        break;
    case CODING_RAW:
        lua_pushlstring(lua, (const char *)data.data, data.size);
        break;
    }
}

static int base64_encode_text(lua_State *lua)
{
    push_base64(lua, check_data(lua, 1, "crypto.base64_encode: the data", CODED_PER_INSTRUCTION), false);
    return 1;
}

static int base64url_encode_text(lua_State *lua)
{
    push_base64(lua, check_data(lua, 1, "crypto.base64url_encode: the data", CODED_PER_INSTRUCTION), true);
    return 1;
}

/* Pushes what `text` stands for; `into` may hold it before it is decoded. */
static int push_decoded_base64(lua_State *lua, struct bytes text, const char *function)
{
    luaL_Buffer buffer;
    size_t size = 0;
    uint8_t *into = (uint8_t *)luaL_buffinitsize(lua, &buffer, base64_decoded_room(text) + 1);

    if (!base64_decode_to(into, text, &size)) {
        return lua_misuse(lua, "%s: not base64: a letter, the length or the end is wrong", function);
    }
    luaL_pushresultsize(&buffer, size);
    return 1;
}

static int base64_decode_text(lua_State *lua)
{
    struct bytes text = check_data(lua, 1, "crypto.base64_decode: the text", CODED_PER_INSTRUCTION);

    return push_decoded_base64(lua, text, "crypto.base64_decode");
}

/* The padding may be there or not; the letters of the other alphabet are wrong. */
static int base64url_decode_text(lua_State *lua)
{
    struct bytes text = check_data(lua, 1, "crypto.base64url_decode: the text", CODED_PER_INSTRUCTION);
    size_t padding = text.size % 4 == 0 ? 0 : 4 - text.size % 4;
    luaL_Buffer buffer;

    char *plain = luaL_buffinitsize(lua, &buffer, text.size + padding);
    for (size_t i = 0; i < text.size; i++) {
        char letter = (char)text.data[i];
        plain[i] = (char)(letter == '-'                    ? '+'
                          : letter == '_'                  ? '/'
                          : letter == '+' || letter == '/' ? 0
                                                           : letter);
    }
    memset(plain + text.size, '=', padding);
    luaL_pushresultsize(&buffer, text.size + padding);
    return push_decoded_base64(lua, bytes_of(lua_tostring(lua, -1), text.size + padding),
                               "crypto.base64url_decode");
}

static int hex_encode_text(lua_State *lua)
{
    push_hex(lua, check_data(lua, 1, "crypto.hex_encode: the data", CODED_PER_INSTRUCTION));
    return 1;
}

static int hex_decode_text(lua_State *lua)
{
    struct bytes text = check_data(lua, 1, "crypto.hex_decode: the text", CODED_PER_INSTRUCTION);
    luaL_Buffer buffer;

    if (text.size % 2 != 0) {
        return lua_misuse(lua, "crypto.hex_decode: an odd number of digits");
    }
    char *into = luaL_buffinitsize(lua, &buffer, text.size / 2);
    for (size_t i = 0; i < text.size / 2; i++) {
        int high = digits_hex_value(text.data[2 * i]);
        int low = digits_hex_value(text.data[2 * i + 1]);
        if (high < 0 || low < 0) {
            return lua_misuse(lua, "crypto.hex_decode: byte %d is not a hexadecimal digit",
                              (int)(2 * i + (high < 0 ? 1 : 2)));
        }
        into[i] = (char)(high << 4 | low);
    }
    luaL_pushresultsize(&buffer, text.size / 2);
    return 1;
}

static const struct {
    const char *name;
    const EVP_MD *(*get)(void);
} algorithms[] = {{"md5", EVP_md5}, {"sha1", EVP_sha1}, {"sha256", EVP_sha256}, {"sha512", EVP_sha512}};
#define ALGORITHM_COUNT (sizeof algorithms / sizeof *algorithms)

/* crypto.sha256(data, [coding]) and its siblings; the place in `algorithms` is the upvalue. */
static int digest_data(lua_State *lua)
{
    lua_Integer algorithm = lua_tointeger(lua, lua_upvalueindex(1));
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    char what[40];

    snprintf(what, sizeof what, "crypto.%s: the data", algorithms[algorithm].name);
    struct bytes data = check_data(lua, 1, what, DIGESTED_PER_INSTRUCTION);
    enum coding coding = (enum coding)luaL_checkoption(lua, 2, "hex", coding_names);
    if (EVP_Digest(data.data, data.size, sum, &size, algorithms[algorithm].get(), NULL) != 1) {
        return lua_misuse(lua, "crypto.%s: libcrypto was built without it", algorithms[algorithm].name);
    }
    push_coded(lua, bytes_of(sum, size), coding);
    return 1;
}

/* crypto.hmac(algorithm, key, data, [coding]) */
static int hmac_data(lua_State *lua)
{
    const char *names[ALGORITHM_COUNT + 1] = {0};
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    for (size_t i = 0; i < ALGORITHM_COUNT; i++) {
        names[i] = algorithms[i].name;
    }
    int algorithm = luaL_checkoption(lua, 1, NULL, names);
    struct bytes key = check_data(lua, 2, "crypto.hmac: the key", DIGESTED_PER_INSTRUCTION);
    struct bytes data = check_data(lua, 3, "crypto.hmac: the data", DIGESTED_PER_INSTRUCTION);
    enum coding coding = (enum coding)luaL_checkoption(lua, 4, "hex", coding_names);
    if (HMAC(algorithms[algorithm].get(), key.data, (int)key.size, data.data, data.size, sum, &size) ==
        NULL) {
        return lua_misuse(lua, "crypto.hmac: libcrypto was built without %s", names[algorithm]);
    }
    push_coded(lua, bytes_of(sum, size), coding);
    return 1;
}

/* Where a block of random bytes comes from: the same place gives the same bytes. */
struct random_place {
    uint64_t seed;
    uint64_t worker;
    uint64_t phase; /* of the worker's life */
    uint64_t step;
    uint64_t draw; /* of the step */
    uint64_t block;
};

/* Repeats with the seed, as the choice of scenarios does. Two places differ in 256 bits, not in the 64 of a
 * seeded generator: ids that are drawn by the billion stay apart. */
static void draw_bytes(struct vu *vu, uint8_t *into, size_t size)
{
    struct random_place place = {.seed = vu_options(vu)->seed,
                                 .worker = vu_is_global(vu) ? UINT64_MAX : vu->id,
                                 .phase = vu->phase,
                                 .step = vu->step,
                                 .draw = vu_next_draw(vu)};

    for (size_t at = 0; at < size; at += SHA256_BYTES, place.block++) {
        unsigned char sum[EVP_MAX_MD_SIZE];
        unsigned sum_size = 0;
        int is_done = EVP_Digest(&place, sizeof place, sum, &sum_size, EVP_sha256(), NULL);
        assert(is_done == 1 && sum_size == SHA256_BYTES);
        (void)is_done;
        memcpy(into + at, sum, size - at < SHA256_BYTES ? size - at : SHA256_BYTES);
    }
}

/* crypto.random_bytes(count) */
static int random_bytes(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "crypto.random_bytes");
    lua_Integer count = luaL_checkinteger(lua, 1);
    luaL_Buffer buffer;

    if (count < 0 || count > RANDOM_MAX_BYTES) {
        return lua_misuse(lua, "crypto.random_bytes: 0 to %d bytes at once", RANDOM_MAX_BYTES);
    }
    limits_charge(lua, (uint64_t)count + 1);
    draw_bytes(vu, (uint8_t *)luaL_buffinitsize(lua, &buffer, (size_t)count), (size_t)count);
    luaL_pushresultsize(&buffer, (size_t)count);
    return 1;
}

/* crypto.uuid(): RFC 9562, version 4 */
static int random_uuid(lua_State *lua)
{
    struct vu *vu = vu_current(lua, "crypto.uuid");
    uint8_t bytes[16];
    char text[37];
    size_t size = 0;

    limits_charge(lua, sizeof bytes);
    draw_bytes(vu, bytes, sizeof bytes);
    bytes[6] = (uint8_t)(0x40 | (bytes[6] & 0x0f));
    bytes[8] = (uint8_t)(0x80 | (bytes[8] & 0x3f));
    for (size_t i = 0; i < sizeof bytes; i++) {
        bool begins_group = i == 4 || i == 6 || i == 8 || i == 10;
        size +=
            (size_t)snprintf(text + size, sizeof text - size, "%s%02x", begins_group ? "-" : "", bytes[i]);
    }
    lua_pushlstring(lua, text, size);
    return 1;
}

int luaopen_tutti_crypto(lua_State *lua)
{
    static const luaL_Reg functions[] = {
        {"base64_encode", base64_encode_text},
        {"base64_decode", base64_decode_text},
        {"base64url_encode", base64url_encode_text},
        {"base64url_decode", base64url_decode_text},
        {"hex_encode", hex_encode_text},
        {"hex_decode", hex_decode_text},
        {"hmac", hmac_data},
        {"random_bytes", random_bytes},
        {"uuid", random_uuid},
        {NULL, NULL},
    };

    luaL_newlib(lua, functions);
    for (size_t i = 0; i < ALGORITHM_COUNT; i++) {
        lua_pushinteger(lua, (lua_Integer)i);
        lua_pushcclosure(lua, digest_data, 1);
        lua_setfield(lua, -2, algorithms[i].name);
    }
    return 1;
}
