/* How many of one unit of time make another. Signed, so that instants before an origin can be divided as
 * well. */
#pragma once
#include <stdint.h>

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_US INT64_C(1000)
