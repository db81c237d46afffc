/* Short stories: small plans whose transcript is the assertion. */
#pragma once
#include <stdbool.h>

/* Plays one and prints its transcript. Returns the exit code. */
int stories_play(const char *name);
/* Compares every story with DIR/NAME.txt, or rewrites these files. Returns the exit code. */
int stories_compare(const char *directory, bool does_update);
