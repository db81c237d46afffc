/* Short stories: small plans whose transcript is the assertion. */
#pragma once
#include <stdbool.h>

/* Plays one and prints its transcript. The exit code. */
int stories_play(const char *name);
/* Holds every story against DIR/NAME.txt, or writes these anew. The exit code. */
int stories_compare(const char *directory, bool does_update);
