/* In place of agent/net/resolver.c: names are what the test says. */
#pragma once
#include "agent/net/address_list.h"

/* "later": asked for, answered in a later turn of the loop; "never": not answered; "nowhere": an error. Any
 * other name that is no literal is known to be these. */
extern struct address_list fake_addresses;
