/* What reports call a failed request of libcurl's: by its result, its text, or the number of the system. */
#include "agent/http/curl/curl_failure.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void each_result_has_its_kind(void **state)
{
    (void)state;
    static const struct {
        CURLcode result;
        const char *text;
        enum http_failure failure;
    } rows[] = {
        {CURLE_OK, "", HTTP_OK},
        {CURLE_URL_MALFORMAT, "", HTTP_BAD_REQUEST},
        {CURLE_COULDNT_RESOLVE_HOST, "", HTTP_RESOLVE},
        {CURLE_COULDNT_RESOLVE_PROXY, "", HTTP_PROXY},
        {CURLE_COULDNT_CONNECT, "", HTTP_CONNECT},
        {CURLE_OPERATION_TIMEDOUT, "", HTTP_TIMEOUT},
        {CURLE_PEER_FAILED_VERIFICATION, "", HTTP_TLS},
        {CURLE_SSL_CONNECT_ERROR, "", HTTP_TLS},
        {CURLE_FILESIZE_EXCEEDED, "", HTTP_TOO_LARGE},
        {CURLE_UNSUPPORTED_PROTOCOL, "Received HTTP/0.9 when not allowed", HTTP_PROTOCOL},
        {CURLE_UNSUPPORTED_PROTOCOL, "Protocol \"gopher\" not supported", HTTP_BAD_REQUEST},
        {CURLE_WEIRD_SERVER_REPLY, "", HTTP_PROTOCOL},
        {CURLE_HTTP2_STREAM, "", HTTP_PROTOCOL},
        {CURLE_RECV_ERROR, "Illegal or missing hexadecimal sequence in chunked-encoding", HTTP_PROTOCOL},
        {CURLE_RECV_ERROR, "Connection reset by peer", HTTP_RESET},
        {CURLE_SEND_ERROR, "", HTTP_RESET},
        {CURLE_GOT_NOTHING, "Empty reply from server", HTTP_RESET},
        {CURLE_PARTIAL_FILE, "", HTTP_RESET},
        {CURLE_FTP_ACCEPT_FAILED, "", HTTP_OTHER},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(curl_failure_of(rows[i].result, rows[i].text), rows[i].failure);
    }
}

static void the_system_says_why_there_is_no_connection(void **state)
{
    (void)state;
    assert_int_equal(curl_failure_of_system(ECONNREFUSED), HTTP_REFUSED);
    assert_int_equal(curl_failure_of_system(EHOSTUNREACH), HTTP_UNREACHABLE);
    assert_int_equal(curl_failure_of_system(EMFILE), HTTP_LOCAL_LIMIT);
    assert_int_equal(curl_failure_of_system(EPROTO), HTTP_CONNECT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_result_has_its_kind),
        cmocka_unit_test(the_system_says_why_there_is_no_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
