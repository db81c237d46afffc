/* Executes a program behind the walls that browsers and their drivers have: `walled FOLDER RUNNABLE PROGRAM
 * [ARGUMENT…]`. FOLDER is the one that may be written, RUNNABLE what may be run beside PROGRAM ("" for
 * nothing). */
#include "agent/walls/walls.h"

#include <stdio.h>
#include <unistd.h>

#define EXIT_USAGE 2
#define EXIT_NOT_RUN 127

int main(int argc, char **argv)
{
    struct error error;

    if (argc < 4) {
        (void)fprintf(stderr, "walled FOLDER RUNNABLE PROGRAM [ARGUMENT…]\n");
        return EXIT_USAGE;
    }
    const struct walls walls = {.writable = argv[1], .runnable = argv[2], .program = argv[3]};
    if (!walls_raise_for_browser(&walls, &error)) {
        (void)fprintf(stderr, "%s\n", error.text);
        return EXIT_NOT_RUN;
    }
    (void)execv(argv[3], argv + 3);
    perror(argv[3]);
    return EXIT_NOT_RUN;
}
