/* A journal in a folder of its own, and the coordinator that it belongs to. */
#include "tests/unit/coordinator/store/journal_scene.h"

#include "coordinator/core/coordinator_pack.h"
#include "tests/unit/coordinator/store/creation.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

void scene_open_journal(struct scene *scene, uint64_t max_bytes)
{
    scene->journal = journal_open(scene->folder, max_bytes, NULL, &scene->warning, &scene->error);
    assert_non_null(scene->journal);
}

int scene_set_up(void **state)
{
    static struct scene scene;
    scene = (struct scene){.folder = "/tmp/tutti-journal-XXXXXX",
                           .time = {.machine_ns = NOW_NS, .wall_ns = WALL_NS}};
    assert_non_null(mkdtemp(scene.folder));
    (void)snprintf(scene.file, sizeof scene.file, "%s/journal", scene.folder);
    struct coordinator_settings settings = coordinator_default_settings(77);
    settings.last_campaign = 4;
    scene.coordinator = coordinator_new(&settings);
    *state = &scene;
    return 0;
}

int scene_tear_down(void **state)
{
    struct scene *scene = (struct scene *)*state;
    journal_free(&scene->journal);
    coordinator_free(&scene->coordinator);
    coordinator_effects_finish(&scene->effects);
    (void)unlink(scene->file);
    assert_int_equal(rmdir(scene->folder), 0); /* nothing else stays */
    return 0;
}

void scene_happen(struct scene *scene, const struct coordinator_event *event)
{
    journal_note(scene->journal, event);
    coordinator_step(scene->coordinator, event, &scene->effects);
}

void scene_create_campaign(struct scene *scene)
{
    struct coordinator_event event = creation_event(NOW_NS);
    assert_true(journal_begin(scene->journal, scene->coordinator, &scene->time, &scene->error));
    scene_happen(scene, &event);
    assert_true(journal_write(scene->journal, &scene->error));
}

bool scene_write_tick(struct scene *scene)
{
    scene_happen(scene, &(struct coordinator_event){.kind = EVENT_TICK, .now_ns = NOW_NS + 1});
    return journal_write(scene->journal, &scene->error);
}

enum journal_found scene_restore_at(struct scene *scene, uint64_t now_ns, struct journal_restored *restored)
{
    journal_free(&scene->journal);
    scene_open_journal(scene, NO_LIMIT);
    const struct journal_time time = {.machine_ns = now_ns, .wall_ns = WALL_NS};
    return journal_restore(scene->journal, &time, restored, &scene->error);
}

bool scene_is_there(const struct scene *scene)
{
    struct stat status;
    return stat(scene->file, &status) == 0;
}

off_t scene_size_of_file(const struct scene *scene)
{
    struct stat status;
    assert_int_equal(stat(scene->file, &status), 0);
    return status.st_size;
}

void scene_leave_text(const struct scene *scene, const char *text)
{
    FILE *file = fopen(scene->file, "wb");
    assert_non_null(file);
    (void)fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

void scene_check_failed(struct scene *scene, const char *words)
{
    assert_non_null(strstr(scene->error.text, words));
    assert_false(journal_is_on(scene->journal));
    assert_false(scene_is_there(scene));
    assert_true(scene_write_tick(scene)); /* logged once */
}

enum journal_renewal scene_renew(struct scene *scene)
{
    return journal_renew(scene->journal, scene->coordinator, &scene->time, &scene->error);
}

enum journal_renewal scene_await_renewal_for(struct scene *scene, int times)
{
    enum journal_renewal renewal = JOURNAL_AS_IT_WAS;
    for (int i = 0; i < times && renewal == JOURNAL_AS_IT_WAS; i++) {
        (void)usleep(1000);
        renewal = scene_renew(scene);
    }
    return renewal;
}

enum journal_renewal scene_await_renewal(struct scene *scene)
{
    return scene_await_renewal_for(scene, 10000);
}
