/* A journal in a folder of its own, and the coordinator that it belongs to: the stage of the stories. */
#pragma once
#include "coordinator/core/coordinator.h"
#include "coordinator/store/journal.h"

#include <stdbool.h>
#include <sys/types.h>

#define NOW_NS 5000000000u
#define WALL_NS 1700000000000000000u
#define S 1000000000ull
#define NO_LIMIT UINT64_MAX

struct scene {
    char folder[64];
    char file[80];
    struct journal *journal;
    struct coordinator *coordinator;
    struct coordinator_effects effects;
    struct journal_time time;
    struct error warning;
    struct error error;
};

/* Fails the test if it cannot be opened. */
void scene_open_journal(struct scene *scene, uint64_t max_bytes);
int scene_set_up(void **state);
/* Checks that nothing but the journal was left in the folder. */
int scene_tear_down(void **state);
/* Both note the event and step the coordinator; the second also begins the journal and writes it. */
void scene_happen(struct scene *scene, const struct coordinator_event *event);
void scene_create_campaign(struct scene *scene);
bool scene_write_tick(struct scene *scene);
/* As another process would, at that time of the machine. */
enum journal_found scene_restore_at(struct scene *scene, uint64_t now_ns, struct journal_restored *restored);
bool scene_is_there(const struct scene *scene);
off_t scene_size_of_file(const struct scene *scene);
/* The file holds this text instead. */
void scene_leave_text(const struct scene *scene, const char *text);
/* The journal has failed, with these words in the error, and its file is gone. */
void scene_check_failed(struct scene *scene, const char *words);
enum journal_renewal scene_renew(struct scene *scene);
/* Tries so many times, a millisecond apart, until the base is written in the background. */
enum journal_renewal scene_await_renewal_for(struct scene *scene, int times);
enum journal_renewal scene_await_renewal(struct scene *scene);
