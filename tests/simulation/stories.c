/* Short stories: small plans whose transcript is the assertion. */
#include "tests/simulation/stories.h"
#include "common/buffer.h"
#include "common/memory.h"
#include "tests/simulation/story_plans.h"
#include "tests/simulation/world.h"

#include <stdio.h>
#include <string.h>

#define STORY_BYTES (1u << 20)
#define PATH_BYTES 1024

static void play(const struct story *story, struct transcript *transcript, bool *is_good)
{
    struct world *world = world_new();
    struct plan *plan = MEMORY_NEW(struct plan);
    story->tell(plan);
    plan->shape = story->name;
    *is_good = world_run(world, plan, 1, transcript);
    if (!*is_good) {
        printf("%s: %s\n", story->name, world->broken);
    }
    memory_free(plan);
    world_free(&world);
}

int stories_play(const char *name)
{
    size_t count = 0;
    const struct story *stories = story_plans(&count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(stories[i].name, name) == 0) {
            struct transcript transcript;
            transcript_init(&transcript, false, true);
            bool is_good = false;
            play(&stories[i], &transcript, &is_good);
            transcript_finish(&transcript);
            return is_good ? 0 : 1;
        }
    }
    printf("there is no story %s; there are:\n", name);
    for (size_t i = 0; i < count; i++) {
        printf("  %-24s %s\n", stories[i].name, stories[i].about);
    }
    return 2;
}

static bool read_whole(const char *path, struct buffer *into)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    char piece[4096];
    size_t size = 0;
    while ((size = fread(piece, 1, sizeof piece, file)) > 0) {
        (void)buffer_append(into, piece, size);
    }
    (void)fclose(file);
    return true;
}

static bool write_whole(const char *path, struct bytes text)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        return false;
    }
    bool is_written = fwrite(text.data, 1, text.size, file) == text.size;
    return fclose(file) == 0 && is_written;
}

/* Prints the first line that differs. */
static void print_difference(const char *expected, const char *found)
{
    int line = 1;
    while (*expected != '\0' || *found != '\0') {
        size_t expected_size = strcspn(expected, "\n");
        size_t found_size = strcspn(found, "\n");
        if (expected_size != found_size || strncmp(expected, found, found_size) != 0) {
            printf("  line %d\n    expected %.*s\n    found    %.*s\n", line, (int)expected_size, expected,
                   (int)found_size, found);
            return;
        }
        expected += expected_size + (expected[expected_size] == '\n' ? 1 : 0);
        found += found_size + (found[found_size] == '\n' ? 1 : 0);
        line++;
    }
}

static bool compare(const char *path, const char *name, struct buffer *found)
{
    struct buffer expected SCOPED(buffer_finish);
    buffer_init(&expected, STORY_BYTES);
    bool is_there = read_whole(path, &expected);
    bool is_same = is_there && bytes_equal(buffer_bytes(&expected), buffer_bytes(found));
    printf("%s %s\n", is_same ? "as told:" : is_there ? "DIFFERS:" : "MISSING:", name);
    if (is_there && !is_same) {
        print_difference(buffer_string(&expected), buffer_string(found));
    }
    return is_same;
}

static bool hold_against(const char *directory, const struct story *story, bool does_update)
{
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/%s.txt", directory, story->name);
    struct buffer found SCOPED(buffer_finish);
    buffer_init(&found, STORY_BYTES);
    (void)buffer_append_format(&found, "%s\n\n", story->about);
    struct transcript transcript;
    transcript_init(&transcript, false, false);
    bool is_good = false;
    play(story, &transcript, &is_good);
    (void)buffer_append(&found, transcript.text.data, transcript.text.size);
    transcript_finish(&transcript);
    if (does_update) {
        return write_whole(path, buffer_bytes(&found)) && is_good;
    }
    return compare(path, story->name, &found) && is_good;
}

int stories_compare(const char *directory, bool does_update)
{
    size_t count = 0;
    const struct story *stories = story_plans(&count);
    size_t differ = 0;
    for (size_t i = 0; i < count; i++) {
        differ += hold_against(directory, &stories[i], does_update) ? 0 : 1;
    }
    printf("%zu stories, %zu not as told\n", count, differ);
    return differ == 0 ? 0 : 1;
}
