/* Generates CURVE keys, and checks whether two belong together. */
#include "proto/keys/curve.h"

#include <assert.h>
#include <string.h>
#include <zmq.h>

void curve_draw(struct key_pair *pair)
{
    int result = zmq_curve_keypair(pair->public_key, pair->secret_key);
    assert(result == 0); /* fails only in a libzmq without CURVE, and ours has it */
    (void)result;
}

bool curve_belongs(const struct key_pair *pair)
{
    char public_key[KEY_TEXT_BYTES + 1];
    return zmq_curve_public(public_key, pair->secret_key) == 0 && strcmp(public_key, pair->public_key) == 0;
}
