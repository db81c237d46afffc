/* The test's own program as a driver and as a reaper, and a count of what is left of both. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* To be asked first in main: true if this process is a part of the play, which has ended with *code. How the
 * driver behaves is FAKE_DRIVER in the environment:
 *   (unset)   answers
 *   family    the same, with children and orphans of every kind that ignore being asked to end
 *   failing   says something and ends with exit code 3
 *   silent    never says its port
 *   busy      as the first of a folder it fails, then it answers and has an orphan
 *   crowded   answers, but finds its port taken as the first five of a folder
 *   mute      answers, and closes its output
 *   loud      prints its environment, then answers */
bool fake_driver_plays(int argc, char **argv, int *code);

/* Makes every driver start this very program, and puts the folders of drivers into one of this test. */
void fake_driver_set_up(void);
/* Removes that folder, which must be empty. */
void fake_driver_tear_down(void);
/* How many other processes run this program. */
size_t fake_driver_count_processes(void);
/* A process with this name (comm); 0: none. */
pid_t fake_driver_find(const char *name);
/* The same, waiting until there is one: it takes its name only after it has started. Never 0, which kill
 * would take for the whole process group. */
pid_t fake_driver_await(const char *name);
/* A file of a process in /proc, as text. */
void fake_driver_read(pid_t pid, const char *name, char *text, size_t size);
size_t fake_driver_count_folders(void);
/* Waits until both counts are 0; fails the test after 5 s. */
void fake_driver_expect_nothing_left(void);
