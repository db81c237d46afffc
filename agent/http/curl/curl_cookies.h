/* The cookies that a share object of curl holds, as a jar. */
#pragma once
#include "agent/http/message/cookie_jar.h"

#include <curl/curl.h>

/* Zeroed is fine. */
struct curl_cookies {
    CURL *easy; /* makes no request; NULL until it is needed */
    struct cookie_jar jar;
};

/* Before the share is cleaned up. */
void curl_cookies_finish(struct curl_cookies *cookies);
/* The cookies of `share`, which is the same in every call; borrowed until the next one. */
struct cookie_jar *curl_cookies_read(struct curl_cookies *cookies, CURLSH *share);
/* Puts what is in the jar in place of what the share holds; after curl_cookies_read. */
void curl_cookies_write(struct curl_cookies *cookies);
