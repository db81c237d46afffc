/* Short stories: small plans whose transcript is the assertion. */
#include "tests/simulation/stories.h"

int stories_play(const char *name)
{
    (void)name;
    return 1;
}

int stories_compare(const char *directory, bool does_update)
{
    (void)directory;
    (void)does_update;
    return 1;
}
