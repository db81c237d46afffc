/* Sorts the results of curl. */
#include "agent/http/curl/curl_failure.h"

#include "agent/base/connect_failure.h"

#include <string.h>

enum http_failure curl_failure_of_system(int number)
{
    static const enum http_failure failures[] = {
        [CONNECT_REFUSED] = HTTP_REFUSED,
        [CONNECT_UNREACHABLE] = HTTP_UNREACHABLE,
        [CONNECT_LOCAL_LIMIT] = HTTP_LOCAL_LIMIT,
        [CONNECT_OTHER] = HTTP_CONNECT,
    };

    return failures[connect_failure_of(number)];
}

enum http_failure curl_failure_of(CURLcode result, const char *text)
{
    switch (result) {
    case CURLE_OK:
        return HTTP_OK;
    case CURLE_URL_MALFORMAT:
    case CURLE_BAD_FUNCTION_ARGUMENT:
        return HTTP_BAD_REQUEST;
    case CURLE_COULDNT_RESOLVE_HOST:
        return HTTP_RESOLVE;
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_PROXY:
        return HTTP_PROXY;
    case CURLE_COULDNT_CONNECT:
        return HTTP_CONNECT;
    case CURLE_OPERATION_TIMEDOUT:
        return HTTP_TIMEOUT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
        return HTTP_TLS;
    case CURLE_FILESIZE_EXCEEDED:
        return HTTP_TOO_LARGE;
    case CURLE_UNSUPPORTED_PROTOCOL:
        return strstr(text, "HTTP/0.9") != NULL ? HTTP_PROTOCOL : HTTP_BAD_REQUEST;
    case CURLE_WRITE_ERROR:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
        return HTTP_PROTOCOL;
    case CURLE_RECV_ERROR:
        return strstr(text, "chunk") != NULL ? HTTP_PROTOCOL : HTTP_RESET;
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
        return HTTP_RESET;
    default:
        return HTTP_OTHER;
    }
}
