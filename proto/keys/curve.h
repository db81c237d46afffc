/* Generates CURVE keys, and checks whether two belong together. */
#pragma once
#include "proto/keys/keys.h"

void curve_draw(struct key_pair *pair);
bool curve_belongs(const struct key_pair *pair);
