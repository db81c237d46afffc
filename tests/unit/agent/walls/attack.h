/* Attacks in separate processes: what a hole in the sandbox would let a script try. */
#pragma once
#include <stdbool.h>

struct walls;

/* The folder that may be written, and one beside it with a secret. Created by attack_set_up. */
extern char attack_own[64];
extern char attack_foreign[64];
extern char attack_secret[80];

void attack_set_up(void);
void attack_tear_down(void);

/* Runs `attack` in a child that has put up walls around scripts, or around browsers; returns its result. The
 * test fails if the walls cannot be put up or the child is killed. */
int attack_from_scripts(int (*attack)(void));
int attack_from_browser(int (*attack)(void));

/* For the attacks: 0 if it failed with this errno, 1 if it succeeded, else 2 after a line on standard
 * error. */
int attack_expect(const char *what, long result, int expected);
