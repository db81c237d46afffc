/* Where the parts of the coordinator put their effects. */
#include "coordinator/core/base/outbox.h"

#include "common/compose.h"
#include "common/memory.h"

#include <stdarg.h>

#define LINE_BYTES 4096

static void outbox_free_kept(struct outbox *outbox)
{
    for (size_t i = 0; i < outbox->kept_count; i++) {
        memory_free(outbox->kept[i].memory);
        shared_release(&outbox->kept[i].message);
    }
    outbox->kept_count = 0;
}

void outbox_begin(struct outbox *outbox, struct coordinator_effects *effects)
{
    outbox_free_kept(outbox);
    effects->count = 0;
    outbox->effects = effects;
}

void outbox_finish(struct outbox *outbox)
{
    outbox_free_kept(outbox);
    memory_free(outbox->kept);
    *outbox = (struct outbox){0};
}

static struct coordinator_effect *outbox_add(struct outbox *outbox, enum coordinator_effect_kind kind)
{
    struct coordinator_effects *effects = outbox->effects;
    effects->items =
        memory_reserve(effects->items, &effects->capacity, effects->count + 1, sizeof *effects->items);
    struct coordinator_effect *effect = &effects->items[effects->count++];
    *effect = (struct coordinator_effect){.kind = kind};
    return effect;
}

static void outbox_keep_until_next(struct outbox *outbox, struct outbox_kept kept)
{
    outbox->kept =
        memory_reserve(outbox->kept, &outbox->kept_capacity, outbox->kept_count + 1, sizeof *outbox->kept);
    outbox->kept[outbox->kept_count++] = kept;
}

void *outbox_keep(struct outbox *outbox, void *memory)
{
    outbox_keep_until_next(outbox, (struct outbox_kept){.memory = memory});
    return memory;
}

void outbox_frame(struct outbox *outbox, const struct envelope *envelope, struct shared *message)
{
    struct coordinator_effect *effect = outbox_add(outbox, EFFECT_SEND);
    effect->incarnation = envelope->incarnation;
    effect->envelope = *envelope;
    effect->message = message;
    if (message != NULL) {
        outbox_keep_until_next(outbox, (struct outbox_kept){.message = shared_hold(message)});
    }
}

void outbox_forget_route(struct outbox *outbox, uint64_t incarnation)
{
    outbox_add(outbox, EFFECT_FORGET_ROUTE)->incarnation = incarnation;
}

void outbox_log(struct outbox *outbox, enum log_level level, const struct log_subject *subject,
                const char *format, ...)
{
    char line[LINE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    compose_list(line, sizeof line, format, arguments);
    va_end(arguments);
    const char *text = (const char *)outbox_keep(outbox, memory_copy_string(line));
    /* The member may be freed before the line is written. */
    void *agent = outbox_keep(outbox, memory_copy(subject->agent.data, subject->agent.size));
    struct coordinator_effect *effect = outbox_add(outbox, EFFECT_LOG);
    effect->level = level;
    effect->subject = *subject;
    effect->subject.agent = bytes_of(agent, subject->agent.size);
    effect->text = text;
}

void outbox_campaign(struct outbox *outbox, uint64_t campaign, enum campaign_state state)
{
    struct coordinator_effect *effect = outbox_add(outbox, EFFECT_CAMPAIGN);
    effect->campaign = campaign;
    effect->state = state;
}

void outbox_deadlock(struct outbox *outbox, uint64_t campaign, const char *text)
{
    struct coordinator_effect *effect = outbox_add(outbox, EFFECT_DEADLOCK);
    effect->campaign = campaign;
    effect->text = (const char *)outbox_keep(outbox, memory_copy_string(text));
}
