/* The seeds of what an HTTP client reads. */
#include "http_corpus.h"

#include "common/memory.h"
#include "fuzz.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define PLAIN "hello, hello, hello, hello, hello, hello, this is the body, this is the body\n"

struct seed {
    const char *name;
    const char *text;
};

/* The first byte is what was asked: 0 usual, 1 HEAD, 2 CONNECT (modulo 3; letters, so that they can be read:
 * 'c', 'd', 'e'). */
static const struct seed http1_seeds[] = {
    {"length", "cHTTP/1.1 200 OK\r\nContent-Length: 5\r\nSet-Cookie: a=b\r\n\r\nhelloHTTP/1.1 200"},
    {"chunks",
     "cHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n00\r\nX: y\r\n\r\nrest"},
    {"to_end", "cHTTP/1.0 200 OK\nConnection: keep-alive\n\nall of it"},
    {"interim",
     "cHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 None\r\n\r\n"},
    {"head", "dHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"},
    {"tunnel", "eHTTP/1.1 200 Connected\r\n\r\nother"},
    {"upgrade", "cHTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nother"},
    {"both_lengths", "cHTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    {"folded", "cHTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n"},
    {"close", "cHTTP/1.1 404 \r\nConnection: x, close\r\nContent-Length: 0\r\n\r\n"},
};

static const struct seed url_seeds[] = {
    {"plain", "http://example.org/a/b?c=d#e\n../x?y"},
    {"user", "https://me:se%63ret@Example.ORG:8443/%7e a\n//other/"},
    {"six", "http://[2001:DB8::1]:80/\n?q"},
    {"idna", "http://b\xc3\xbc"
             "cher.example/stra\xc3\x9f"
             "e\n#f"},
    {"wide", "http://\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1/\nhttp:x"},
    {"dots", "http://a/b/../../c/./d/..\n./../g/."},
};

static const struct seed cookie_seeds[] = {
    {"plain", "aa=b; Path=/a; Domain=example.org; Secure; HttpOnly\nba=c\nca=d; Max-Age=0\n"},
    {"dates", "aa=b; Expires=Sun, 06 Nov 2094 08:49:37 GMT\nba=b; expires=6-nov-94 8:49:37\n"},
    {"prefixes", "a__Host-a=b; Secure; Path=/\na=__Secure-a\nc__Secure-a=b; Secure\n"},
    {"suffix", "da=b; Domain=co.uk\nda=b; Domain=.example.co.uk; Max-Age=5\n"},
    {"date", "Sunday, 06-Nov-94 08:49:37 GMT"},
};

static const struct seed digest_seeds[] = {
    {"rfc7616", "aWWW-Authenticate: Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", "
                "algorithm=SHA-256, nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "
                "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"\r\n"},
    {"userhash",
     "bWWW-Authenticate: Digest realm=\"api@example.org\", qop=\"auth\", algorithm=SHA-512-256, "
     "nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPCh\", "
     "charset=UTF-8, userhash=true\r\n"},
    {"old", "cWWW-Authenticate: Basic realm=\"a\", Digest realm=\"b\\\"c\", nonce=d, stale=TRUE\r\n"},
    {"session", "dWWW-Authenticate: Digest realm=\"\", nonce=\"n\", algorithm=MD5-sess, qop=auth\r\n"},
};

/* The first byte says how many requests there are (from 1) and of which kind, the second in which pieces the
 * rest is written. */
static const struct seed_of_bytes {
    const char *name;
    const char *bytes;
    size_t size;
} http2_seeds[] = {
#define BYTES_OF(text) (text), sizeof(text) - 1
#define SETTINGS "\0\0\0\4\0\0\0\0\0"
    {"status", BYTES_OF("\0\xff" SETTINGS "\0\0\1\1\5\0\0\0\1\x88")},
    {"body", BYTES_OF("\0\7" SETTINGS "\0\0\1\1\4\0\0\0\1\x88\0\0\5\0\1\0\0\0\1hello")},
    {"two", BYTES_OF("\1\xff" SETTINGS "\0\0\1\1\5\0\0\0\3\x88\0\0\1\1\5\0\0\0\1\x8d")},
    {"field", BYTES_OF("\0\xff" SETTINGS "\0\0\6\1\5\0\0\0\1\x88\0\1\141\1\142")},
    {"goaway", BYTES_OF("\1\xff" SETTINGS "\0\0\10\7\0\0\0\0\0\0\0\0\1\0\0\0\0"
                        "\0\0\1\1\5\0\0\0\1\x88")},
    {"reset", BYTES_OF("\0\xff" SETTINGS "\0\0\4\3\0\0\0\0\1\0\0\0\7")},
    {"upload", BYTES_OF("\10\xff" SETTINGS "\0\0\4\10\0\0\0\0\1\0\1\0\0\0\0\4\10\0\0\0\0\0\0\1\0\0"
                        "\0\0\1\1\5\0\0\0\1\x88")},
    {"ping", BYTES_OF("\4\xff" SETTINGS "\0\0\10\6\0\0\0\0\0abcdefgh\0\0\1\1\5\0\0\0\1\x88")},
};

/* The first byte: 0 plain, 1 compressed, 2 with a context, 3 the fields of a handshake. */
#define FRAMES(text) bytes_of(text, sizeof(text) - 1)

static void write_websocket_seeds(const char *directory,
                                  void (*write_file)(const char *directory, const char *target,
                                                     const char *name, struct bytes bytes))
{
    const struct {
        const char *name;
        struct bytes bytes;
    } seeds[] = {
        {"messages", FRAMES("\0\x81\5hello\x82\3\0\1\xff\x81\0")},
        {"fragments", FRAMES("\0\1\2ab\x89\1p\0\0\x8a\1q\x80\1c")},
        {"lengths", FRAMES("\0\x82\x7e\1\0\x82\x7f\0\0\0\0\0\1\0\0x")},
        {"close", FRAMES("\0\x88\5\3\350bye\x81\1x")},
        {"utf8", FRAMES("\0\x81\4\xf0\x9f\x98\x80\1\1\xc3\x80\1\xa4\x81\1\xff")},
        {"masked", FRAMES("\0\x81\x82\1\2\3\4ij")},
        {"compressed", FRAMES("\1\xc1\7\xf2\x48\xcd\xc9\xc9\x07\0\x41\3\xf2\x48\xcd\x80\4\xc9\xc9\x07\0")},
        {"context", FRAMES("\2\xc1\7\xf2\x48\xcd\xc9\xc9\x07\0\xc1\5\xf2\0\x11\0\0")},
        {"handshake",
         FRAMES("\3Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Extensions: permessage-deflate; "
                "server_no_context_takeover; server_max_window_bits=10\r\n")},
    };

    for (size_t i = 0; i < sizeof(seeds) / sizeof *(seeds); i++) {
        write_file(directory, "websocket", seeds[i].name, seeds[i].bytes);
    }
}

/* The first byte is how the input is cut. */
static const struct seed events_seeds[] = {
    {"plain", "4data: YHOO\ndata: +2\n\nevent: add\nid: 7\rdata: a\r\rdata\r\n\r\n"},
    {"marks", "3\xef\xbb\xbf: comment\nretry: 1500\nretry: x\nid\ndata:b\n\n"},
    {"odd", "2what: no\n\n\nevent: lost\n\ndata : no\ndata: never ended"},
};

#define WRITE_SEEDS(target, seeds)                                                                           \
    for (size_t i = 0; i < sizeof(seeds) / sizeof *(seeds); i++) {                                           \
        write_file(directory, target, (seeds)[i].name, bytes_of_string((seeds)[i].text));                    \
    }

/* The first byte names the coding, the second how it is cut. */
static size_t deflate_plain(uint8_t *out, size_t size, int window)
{
    z_stream zlib = {.next_in = (Bytef *)(uintptr_t)PLAIN,
                     .avail_in = sizeof PLAIN - 1,
                     .next_out = out,
                     .avail_out = (uInt)size};

    FUZZ_CHECK(deflateInit2(&zlib, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    FUZZ_CHECK(deflate(&zlib, Z_FINISH) == Z_STREAM_END);
    size_t made = zlib.total_out;
    deflateEnd(&zlib);
    return made;
}

void http_corpus_write(const char *directory, void (*write_file)(const char *directory, const char *target,
                                                                 const char *name, struct bytes bytes))
{
    static const uint8_t brotli[] = {2, 3, 0x0b, 0x02, 0x80, 'h', 'e', 'l', 'l', 'o', 0x03};
    uint8_t coded[1000] = {0, 3};

    WRITE_SEEDS("http1", http1_seeds)
    WRITE_SEEDS("url", url_seeds)
    WRITE_SEEDS("cookie", cookie_seeds)
    WRITE_SEEDS("digest", digest_seeds)
    for (size_t i = 0; i < sizeof http2_seeds / sizeof *http2_seeds; i++) {
        write_file(directory, "http2", http2_seeds[i].name,
                   bytes_of(http2_seeds[i].bytes, http2_seeds[i].size));
    }
    write_websocket_seeds(directory, write_file);
    WRITE_SEEDS("events", events_seeds)
    size_t size = deflate_plain(coded + 2, sizeof coded - 2, 15 + 16);
    write_file(directory, "content", "gzip", bytes_of(coded, 2 + size));
    coded[0] = 1;
    size = deflate_plain(coded + 2, sizeof coded - 2, 15);
    write_file(directory, "content", "zlib", bytes_of(coded, 2 + size));
    size = deflate_plain(coded + 2, sizeof coded - 2, -15);
    write_file(directory, "content", "raw", bytes_of(coded, 2 + size));
    write_file(directory, "content", "brotli", bytes_of(brotli, sizeof brotli));
    coded[0] = 3;
    write_file(directory, "content", "zstd_of_old", bytes_of("\3\377\047\265\057\375\040\142\006", 9));
    write_file(directory, "content", "zstd_empty_block",
               bytes_of("\3\1\050\265\057\375\040\115\1\0\0\050\265\057\375\040\101\115\1\0", 20));
    write_file(directory, "content", "zstd_of_old_within", bytes_of("\3\3\050\047\265\057\375\142\4", 9));
    size = ZSTD_compress(coded + 2, sizeof coded - 2, PLAIN, sizeof PLAIN - 1, 3);
    FUZZ_CHECK(!ZSTD_isError(size));
    write_file(directory, "content", "zstd", bytes_of(coded, 2 + size));
}
