/* Our own HTTP engine: HTTP/1.1 on the streams of agent/net. */
#pragma once
#include "agent/http/engine_kind.h"

struct net;

extern const struct http_engine_functions native_kind;
/* What an engine of this kind has its connections on: others may have theirs there too. Closed with the
 * engine. */
struct net *native_kind_net(struct http_engine *engine);
