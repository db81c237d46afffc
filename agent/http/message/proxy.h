/* HTTP proxies as they are named in options and in the environment. Pure. */
#pragma once
#include "agent/http/message/url.h"
#include "common/attributes.h"
#include "common/error.h"

#include <stdbool.h>
#include <stdint.h>

/* In place of a proxy: the variables http_proxy, https_proxy and no_proxy say which. */
#define PROXY_OF_ENVIRONMENT "environment"

struct proxy {
    char *host; /* without brackets */
    bool is_literal;
    uint16_t port;
    char *authorization; /* "Basic …", for Proxy-Authorization; NULL: none */
};

/* "http://user:password@host:port", also without "http://". False with an error for what is no such thing,
 * and for the kinds of proxy that only libcurl speaks. `proxy` is written on success only; proxy_finish
 * frees. */
MUST_CHECK bool proxy_parse(const char *text, struct proxy *proxy, struct error *error);
/* Zeroed is fine too. */
void proxy_finish(struct proxy *proxy);
/* Whether a list as in no_proxy names the host: "*", names with all below them, addresses, networks;
 * separated by commas or spaces, each with a port or without. */
bool proxy_is_bypassed(const char *list, const struct url *url);
