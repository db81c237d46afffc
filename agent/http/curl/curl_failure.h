/* What a result of curl means. */
#pragma once
#include "agent/http/engine.h"

#include <curl/curl.h>

/* Why no connection came about, by the number that the system gave. */
enum http_failure curl_failure_of_system(int number);
/* `text` is curl's own, of its error buffer; it tells some failures apart. */
enum http_failure curl_failure_of(CURLcode result, const char *text);
