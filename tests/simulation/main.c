/* simulate: plays campaigns from seeds, and the stories, and reports which promise was broken. */
#include "common/clock.h"
#include "common/option.h"
#include "tests/simulation/stories.h"
#include "tests/simulation/world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct settings {
    uint64_t seed;
    bool has_seed;
    uint64_t seeds;
    uint64_t first;
    bool has_first;
    uint32_t verbosity;
    bool goes_on;
    bool is_searching;
    bool is_arriving;
    const char *story;
    const char *stories;
    const char *update_stories;
};

static const struct option OPTIONS[] = {
    {.name = "seed",
     .type = OPTION_NUMBER,
     .offset = offsetof(struct settings, seed),
     .is_set_offset = offsetof(struct settings, has_seed),
     .argument = "N",
     .help = "play this one"},
    {.name = "seeds",
     .type = OPTION_NUMBER,
     .offset = offsetof(struct settings, seeds),
     .is_set_offset = SIZE_MAX,
     .argument = "N",
     .help = "play this many",
     .fallback = "1,000"},
    {.name = "first",
     .type = OPTION_NUMBER,
     .offset = offsetof(struct settings, first),
     .is_set_offset = offsetof(struct settings, has_first),
     .argument = "S",
     .help = "start with this one",
     .fallback = "drawn at random and printed"},
    {.name = "verbose",
     .letter = 'v',
     .type = OPTION_COUNT,
     .offset = offsetof(struct settings, verbosity),
     .is_set_offset = SIZE_MAX,
     .help = "print what happens; twice: every frame as well"},
    {.name = "keep-going",
     .letter = 'k',
     .type = OPTION_FLAG,
     .offset = offsetof(struct settings, goes_on),
     .is_set_offset = SIZE_MAX,
     .help = "do not stop at the first seed that fails"},
    {.name = "searches",
     .type = OPTION_FLAG,
     .offset = offsetof(struct settings, is_searching),
     .is_set_offset = SIZE_MAX,
     .help = "play searches for a number of workers: goals, sizing"},
    {.name = "arrivals",
     .type = OPTION_FLAG,
     .offset = offsetof(struct settings, is_arriving),
     .is_set_offset = SIZE_MAX,
     .help = "play campaigns whose steps begin by a rate"},
    {.name = "story",
     .type = OPTION_TEXT,
     .offset = offsetof(struct settings, story),
     .is_set_offset = SIZE_MAX,
     .argument = "NAME",
     .help = "play one story and print its transcript"},
    {.name = "stories",
     .type = OPTION_TEXT,
     .offset = offsetof(struct settings, stories),
     .is_set_offset = SIZE_MAX,
     .argument = "DIR",
     .help = "compare every story with its transcript in DIR"},
    {.name = "update-stories",
     .type = OPTION_TEXT,
     .offset = offsetof(struct settings, update_stories),
     .is_set_offset = SIZE_MAX,
     .argument = "DIR",
     .help = "rewrite the transcripts: review them by eye"},
};

static bool play_seed(struct world *world, const struct settings *settings, uint64_t seed, uint32_t verbosity)
{
    struct random random;
    random_seed(&random, seed);
    static struct plan plan;
    if (settings->is_searching) {
        plan_draw_search(&plan, &random);
    } else if (settings->is_arriving) {
        plan_draw_arrivals(&plan, &random);
    } else {
        plan_draw(&plan, &random);
    }
    struct transcript transcript;
    transcript_init(&transcript, true, true);
    transcript.has_frames = verbosity > 1;
    if (verbosity > 0) {
        plan_print(&plan);
    }
    bool is_good = world_run(world, &plan, seed, verbosity > 0 ? &transcript : NULL);
    transcript_finish(&transcript);
    if (!is_good) {
        printf("seed %" PRIu64 " (%s): %s\n", seed, plan.shape, world->broken);
        printf("  replay: build/dev/bin/simulate %s--seed %" PRIu64 " --verbose\n",
               settings->is_searching  ? "--searches "
               : settings->is_arriving ? "--arrivals "
                                       : "",
               seed);
        (void)fflush(stdout);
    }
    return is_good;
}

static int play_seeds(const struct settings *settings)
{
    struct world *world = world_new();
    uint64_t began_ns = clock_now_ns();
    uint64_t failed = 0;
    uint64_t played = 0;
    uint64_t events = 0;
    uint64_t steps = 0;
    printf("seeds %" PRIu64 " to %" PRIu64 "\n", settings->first, settings->first + settings->seeds - 1);
    (void)fflush(stdout);
    while (played < settings->seeds && (failed == 0 || settings->goes_on)) {
        failed += play_seed(world, settings, settings->first + played, 0) ? 0 : 1;
        played++;
        events += world->events;
        steps += world->steps_run;
    }
    double took_s = (double)(clock_now_ns() - began_ns) / 1e9;
    printf("%" PRIu64 " seeds played in %.1f s (%.0f/s, %" PRIu64 " events, %" PRIu64 " steps), %" PRIu64
           " broke a promise\n",
           played, took_s, (double)played / took_s, events, steps, failed);
    world_free(&world);
    return failed == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct settings settings = {.seeds = 1000};
    struct error error;
    size_t words = 0;
    if (argc == 2 && (argv[1][0] == '-' && (argv[1][1] == 'h' || argv[1][2] == 'h'))) {
        option_print_help(OPTIONS, sizeof OPTIONS / sizeof OPTIONS[0], stdout);
        return 0;
    }
    if (!option_parse(OPTIONS, sizeof OPTIONS / sizeof OPTIONS[0], argc, argv, &settings, NULL, 0, &words,
                      &error)) {
        (void)fprintf(stderr, "simulate: %s\n", error.text);
        return 2;
    }
    if (settings.story != NULL) {
        return stories_play(settings.story);
    }
    if (settings.stories != NULL || settings.update_stories != NULL) {
        bool does_update = settings.update_stories != NULL;
        return stories_compare(does_update ? settings.update_stories : settings.stories, does_update);
    }
    if (settings.has_seed) {
        struct world *world = world_new();
        bool is_good = play_seed(world, &settings, settings.seed, settings.verbosity);
        printf("seed %" PRIu64 " %s\n", settings.seed, is_good ? "keeps every promise" : "breaks a promise");
        world_free(&world);
        return is_good ? 0 : 1;
    }
    if (!settings.has_first) {
        struct random random;
        random_seed(&random, clock_wall_ns());
        settings.first = random_below(&random, 1000000000000ull);
    }
    return play_seeds(&settings);
}
