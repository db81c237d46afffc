/* The examples of RFC 9112, and those of RFC 9110 that concern a client. */
#include "agent/http/message/fields.h"
#include "agent/http/message/resend.h"
#include "agent/http/message/url.h"
#include "tests/unit/agent/http/message/reading.h"

#define WEBSOCKET "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"

static const struct {
    const char *section;
    const char *wire;
    const char *story;
    const char *body; /* NULL: not looked at */
    enum http1_request_kind kind;
    bool has_ended;
} responses[] = {
    {"RFC 9110 section 3.9: a response to GET /hello.txt",
     "HTTP/1.1 200 OK\r\nDate: Mon, 27 Jul 2009 12:28:53 GMT\r\nServer: Apache\r\n"
     "Last-Modified: Wed, 22 Jul 2009 19:15:56 GMT\r\nETag: \"34aa387-d-1568eb00\"\r\nAccept-Ranges: "
     "bytes\r\n"
     "Content-Length: 51\r\nVary: Accept-Encoding\r\nContent-Type: text/plain\r\n\r\n"
     "Hello World! My content includes a trailing CRLF.\r\n",
     "head 200, end, rest 0", "Hello World! My content includes a trailing CRLF.\r\n", HTTP1_USUAL, false},
    {"RFC 9110 section 7.8: a change of protocol", WEBSOCKET "\x81\x05hello", "upgrade 101, rest 7", "",
     HTTP1_USUAL, false},
    {"RFC 9110 section 8.6: the length of a HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 3495\r\n\r\n",
     "head 200, end, rest 0", "", HTTP1_TO_HEAD, false},
    {"RFC 9110 section 9.3.6: CONNECT", "HTTP/1.1 200 OK\r\n\r\n\x16\x03\x01", "upgrade 200, rest 3", "",
     HTTP1_TO_CONNECT, false},
    {"RFC 9110 section 10.1.1: 100 before the answer",
     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n",
     "interim 100, head 201, end, rest 0", "", HTTP1_USUAL, false},
    {"RFC 9110 section 11.6.1: two challenges in one field",
     "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"simple\", Newauth realm=\"apps\", type=1, "
     "title=\"Login to \\\"apps\\\"\"\r\nContent-Length: 0\r\n\r\n",
     "head 401, end, rest 0", "", HTTP1_USUAL, false},
    {"RFC 9110 section 14.4: a range that cannot be given",
     "HTTP/1.1 416 Range Not Satisfiable\r\nDate: Fri, 20 Jan 2012 15:41:54 GMT\r\n"
     "Content-Range: bytes */47022\r\nContent-Length: 0\r\n\r\n",
     "head 416, end, rest 0", "", HTTP1_USUAL, false},
    {"RFC 9110 section 15.3.7.1: a part, of which the first bytes have come",
     "HTTP/1.1 206 Partial Content\r\nDate: Wed, 15 Nov 1995 06:25:24 GMT\r\n"
     "Last-Modified: Wed, 15 Nov 1995 04:58:08 GMT\r\nContent-Range: bytes 21010-47021/47022\r\n"
     "Content-Length: 26012\r\nContent-Type: image/gif\r\n\r\nGIF89a",
     "head 206, more, rest 0", "GIF89a", HTTP1_USUAL, false},
    {"RFC 9110 section 15.3.7.2: several parts",
     "HTTP/1.1 206 Partial Content\r\nDate: Wed, 15 Nov 1995 06:25:24 GMT\r\n"
     "Content-Type: multipart/byteranges; boundary=THIS_STRING_SEPARATES\r\nContent-Length: 57\r\n\r\n"
     "--THIS_STRING_SEPARATES\r\n...\r\n--THIS_STRING_SEPARATES--\r\n",
     "head 206, end, rest 0", NULL, HTTP1_USUAL, false},
    {"RFC 9112 section 2.2: a line that ends with LF alone", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
     "head 200, end, rest 0", "ok", HTTP1_USUAL, false},
    {"RFC 9112 section 2.2: a bare CR", "HTTP/1.1 200 OK\r\nX-A: b\rContent-Length: 2\r\n\r\nok",
     "error: a header holds a bare CR or a zero byte", NULL, HTTP1_USUAL, false},
    {"RFC 9112 section 2.3: a minor version that is not known",
     "HTTP/1.3 200 OK\r\nContent-Length: 2\r\n\r\nok", "head 200, end, rest 0", "ok", HTTP1_USUAL, false},
    {"RFC 9112 section 4: no reason, but its space", "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n",
     "head 200, end, rest 0", "", HTTP1_USUAL, false},
    {"RFC 9112 section 5.1: white space before the colon", "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok",
     "error: a header line has no name, or white space before its colon", NULL, HTTP1_USUAL, false},
    {"RFC 9112 section 5.2: a folded line", "HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\nContent-Length: 2\r\n\r\nok",
     "error: a header line is folded", NULL, HTTP1_USUAL, false},
    {"RFC 9112 section 6.1: a payload that is packed for the transfer, which nobody has asked for",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
     "error: Transfer-Encoding is something else than chunked", NULL, HTTP1_USUAL, false},
    {"RFC 9112 section 6.1: Transfer-Encoding of HTTP/1.0",
     "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     "error: an answer of HTTP/1.0 has Transfer-Encoding", NULL, HTTP1_USUAL, false},
    {"RFC 9112 section 6.3 rule 1: 304 has no body, whatever its fields say",
     "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", "head 304, end, rest 0", "",
     HTTP1_USUAL, false},
    {"RFC 9112 section 6.3 rule 3: both lengths",
     "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     "error: the answer has both Content-Length and Transfer-Encoding", NULL, HTTP1_USUAL, false},
    {"RFC 9112 section 6.3 rule 5: a list of equal lengths may be refused",
     "HTTP/1.1 200 OK\r\nContent-Length: 42, 42\r\n\r\n",
     "error: Content-Length is not a number, or there are two of them", NULL, HTTP1_USUAL, false},
    {"RFC 9112 section 6.3 rule 8: neither, to the end of the connection", "HTTP/1.1 200 OK\r\n\r\nall",
     "head 200, end of all, rest 0", "all", HTTP1_USUAL, true},
    {"RFC 9112 section 7.1.1: an extension that is not known, with a quoted value",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;ieof;a=\"b;c\"\r\nWiki\r\n0\r\n\r\n",
     "head 200, end, rest 0", "Wiki", HTTP1_USUAL, false},
    {"RFC 9112 section 7.1.2: fields behind the last chunk",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Expires\r\n\r\n4\r\nWiki\r\n0\r\n"
     "Expires: Wed, 21 Oct 2015 07:28:00 GMT\r\n\r\n",
     "head 200, end, rest 0", "Wiki", HTTP1_USUAL, false},
    {"RFC 9112 section 8: the end before the last chunk",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nWiki\r\n",
     "head 200, error: the connection ended in the middle of the answer", "Wiki", HTTP1_USUAL, true},
    {"RFC 9112 section 8: fewer bytes than were announced",
     "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nWiki",
     "head 200, error: the connection ended in the middle of the answer", "Wiki", HTTP1_USUAL, true},
    {"RFC 9112 section 2.2: white space between the status line and the first field",
     "HTTP/1.1 200 OK\r\n X-A: b\r\nContent-Length: 2\r\n\r\nok", "error: a header line is folded", NULL,
     HTTP1_USUAL, false},
    {"RFC 9112 section 2.3: the name of the protocol depends on case", "http/1.1 200 OK\r\n\r\n",
     "error: this is not an answer of HTTP/1", NULL, HTTP1_USUAL, false},
    {"RFC 9112 section 4: a status has three digits", "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
     "error: this is not an answer of HTTP/1", NULL, HTTP1_USUAL, false},
    {"RFC 9112 section 5: white space around a value",
     "HTTP/1.1 200 OK\r\nContent-Length: \t 2\t \r\nX-A:b\r\n\r\nok", "head 200, end, rest 0", "ok",
     HTTP1_USUAL, false},
    {"RFC 9112 section 6.1: chunked is applied once",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
     "error: Transfer-Encoding is something else than chunked", NULL, HTTP1_USUAL, false},
    {"RFC 9112 section 6.3 rule 1: 204 has no body",
     "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", "head 204, end, rest 0", "",
     HTTP1_USUAL, false},
    {"RFC 9112 section 6.3 rule 5: two lengths that differ",
     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!",
     "error: Content-Length is not a number, or there are two of them", NULL, HTTP1_USUAL, false},
    {"RFC 9112 section 6.3 rule 5: a length that is none", "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok",
     "error: Content-Length is not a number, or there are two of them", NULL, HTTP1_USUAL, false},
    {"RFC 9112 section 7.1: sizes in either case, with zeros before them; the last has zeros only",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
     "CHUNKED\r\n\r\n00A\r\n0123456789\r\na\r\nabcdefghij\r\n000\r\n\r\n",
     "head 200, end, rest 0", "0123456789abcdefghij", HTTP1_USUAL, false},
    {"RFC 9112 section 7.1: a size beyond all bounds",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
     "head 200, error: the size of a chunk is not a hexadecimal number, or is absurd", NULL, HTTP1_USUAL,
     false},
    {"RFC 9112 section 7.1.1: an extension without a value",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2 ; last\r\nok\r\n0\r\n\r\n",
     "head 200, end, rest 0", "ok", HTTP1_USUAL, false},
    {"RFC 9112 section 9.3: HTTP/1.1 keeps what does not say otherwise, once its length is known",
     "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "head 200, end, rest 0", "", HTTP1_USUAL, false},
    {"RFC 9112 section 9.3: HTTP/1.0 keeps only what says so",
     "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", "head 200, end, rest 0",
     "ok", HTTP1_USUAL, false},
    {"RFC 9112 section 9.3: and else ends", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
     "head 200, end of all, rest 0", "ok", HTTP1_USUAL, false},
    {"RFC 9112 section 9.6: close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
     "head 200, end of all, rest 0", "ok", HTTP1_USUAL, false},
    {"RFC 9112 section 9.6: close among other options",
     "HTTP/1.1 200 OK\r\nConnection: upgrade , Close\r\nContent-Length: 2\r\n\r\nok",
     "head 200, end of all, rest 0", "ok", HTTP1_USUAL, false},
    {"RFC 9112 section 9.2: an answer that nobody has asked for stays",
     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 408 Request Timeout\r\n\r\n",
     "head 200, end, rest 32", "ok", HTTP1_USUAL, false},
};

/* How much is left where an error ends it depends on the pieces. */
static void expect_error_anywhere(struct bytes wire, const char *story, bool has_ended)
{
    struct reading reading;

    reading_init(&reading);
    for (size_t cut = 0; cut <= wire.size; cut++) {
        reading_read(&reading, wire, HTTP1_USUAL, cut == wire.size ? SIZE_MAX : cut, has_ended);
        assert_memory_equal(buffer_string(&reading.story), story, strlen(story));
    }
    reading_finish(&reading);
}

static void responses_read_as_the_documents_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof responses / sizeof *responses; i++) {
        print_message("%s\n", responses[i].section);
        struct bytes wire = bytes_of_string(responses[i].wire);
        if (strstr(responses[i].story, "error: ") != NULL) {
            expect_error_anywhere(wire, responses[i].story, responses[i].has_ended);
        } else {
            reading_expect(responses[i].kind, responses[i].has_ended, wire, responses[i].story,
                           responses[i].body);
        }
    }
}

static void lists_read_as_the_documents_say(void **state)
{
    static const char *const with_foo[] = {"foo ,bar,", "foo , ,bar,charlie", "Foo, Bar", "bar,foo", ",foo"};
    static const char *const without[] = {"", ",", ",   ,", "foobar", "foo bar"};

    (void)state;
    for (size_t i = 0; i < sizeof with_foo / sizeof *with_foo; i++) {
        assert_true(field_has_word(bytes_of_string(with_foo[i]), "foo"));
        assert_false(field_has_word(bytes_of_string(without[i]), "foo"));
    }
}

/* RFC 9112 section 3.2 and RFC 9110 section 4.2.3: what a URL becomes in a request. */
static void urls_become_targets(void **state)
{
    static const char *const rows[][3] = {
        {"http://www.example.org/where?q=now", "www.example.org", "/where?q=now"},
        {"http://www.example.org/pub/WWW/TheProject.html", "www.example.org", "/pub/WWW/TheProject.html"},
        {"http://www.example.org", "www.example.org", "/"},
        {"http://www.example.com:80/~smith/home.html", "www.example.com", "/~smith/home.html"},
        {"http://EXAMPLE.com:/%7esmith/home.html", "example.com", "/%7esmith/home.html"},
        {"HTTP://EXAMPLE.com/%7Esmith/home.html", "example.com", "/%7Esmith/home.html"},
        {"http://www.example.org:8001", "www.example.org:8001", "/"},
        {"https://example.com?a/b", "example.com", "/?a/b"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct url url;
        struct error error;
        char text[100];
        assert_true(url_parse(bytes_of_string(rows[i][0]), &url, &error));
        bytes_to_text(url.authority, text, sizeof text);
        assert_string_equal(text, rows[i][1]);
        bytes_to_text(url.target, text, sizeof text);
        assert_string_equal(text, rows[i][2]);
        url_finish(&url);
    }
}

/* RFC 9110 section 10.2.2; a fragment is never sent. */
static void a_location_is_resolved(void **state)
{
    static const char *const rows[][3] = {
        {"http://www.example.org/~tim", "/People.html#tim", "http://www.example.org/People.html"},
        {"http://www.example.org/index.html#larry", "http://www.example.net/index.html",
         "http://www.example.net/index.html"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct url base;
        struct url url;
        struct error error;
        assert_true(url_parse(bytes_of_string(rows[i][0]), &base, &error));
        assert_true(url_resolve(&base, bytes_of_string(rows[i][1]), &url, &error));
        assert_string_equal(url.text, rows[i][2]);
        url_finish(&base);
        url_finish(&url);
    }
}

/* RFC 9110 sections 9.2.2 and 15.4. */
static void what_is_sent_again(void **state)
{
    static const char *const harmless[] = {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"};
    static const char *const harmful[] = {"POST", "PATCH", "CONNECT", "MINE"};

    (void)state;
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++) {
        assert_true(resend_is_harmless(harmless[i]));
    }
    for (size_t i = 0; i < sizeof harmful / sizeof *harmful; i++) {
        assert_false(resend_is_harmless(harmful[i]));
    }
    assert_true(resend_becomes_get(303, "PUT") && resend_becomes_get(301, "POST"));
    assert_false(resend_becomes_get(303, "HEAD") || resend_becomes_get(302, "PUT") ||
                 resend_becomes_get(307, "POST") || resend_becomes_get(308, "POST"));
    assert_false(resend_is_redirect(300) || resend_is_redirect(304) || resend_is_redirect(305));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(responses_read_as_the_documents_say),
        cmocka_unit_test(lists_read_as_the_documents_say),
        cmocka_unit_test(urls_become_targets),
        cmocka_unit_test(a_location_is_resolved),
        cmocka_unit_test(what_is_sent_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
