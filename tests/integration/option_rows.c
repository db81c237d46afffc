/* Prints the options of a campaign as a JSON array, for tests/option_docs.py. */
#include "common/duration.h"
#include "proto/message/campaign_option.h"

#include <inttypes.h>
#include <stdio.h>

static void print_text(const char *name, const char *text)
{
    if (text == NULL) {
        return;
    }
    printf(", \"%s\": \"", name);
    for (; *text != '\0'; text++) {
        printf(*text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
    }
    printf("\"");
}

static const char *type_name(enum option_type type)
{
    static const char *const names[] = {
        [OPTION_FLAG] = "flag",         [OPTION_COUNT] = "count", [OPTION_NUMBER] = "number",
        [OPTION_DURATION] = "duration", [OPTION_REAL] = "real",   [OPTION_TEXT] = "text",
        [OPTION_TEXTS] = "texts",       [OPTION_BYTES] = "bytes", [OPTION_CHOICE] = "choice",
        [OPTION_CUSTOM] = "custom",
    };
    return names[type];
}

static void print_row(const struct campaign_option *row)
{
    const struct option *option = &row->option;
    uint64_t milliseconds = 0;
    printf("{\"type\": \"%s\", \"minimum\": %" PRIu64 ", \"maximum\": %" PRIu64, type_name(option->type),
           option->minimum, option->maximum);
    if (option->letter != 0) {
        printf(", \"letter\": \"%c\"", option->letter);
    }
    print_text("name", option->name);
    print_text("key", row->key);
    print_text("argument", option->argument);
    print_text("help", option->help);
    print_text("default", option->fallback);
    if (option->type == OPTION_DURATION && option->fallback != NULL &&
        duration_parse(option->fallback, &milliseconds, NULL)) {
        printf(", \"default_ms\": %" PRIu64, milliseconds);
    }
    for (size_t i = 0; option->choices != NULL && option->choices[i] != NULL; i++) {
        printf("%s\"%s\"", i == 0 ? ", \"choices\": [" : ", ", option->choices[i]);
    }
    printf("%s}", option->choices != NULL ? "]" : "");
}

int main(void)
{
    for (size_t i = 0; i < CAMPAIGN_OPTION_COUNT; i++) {
        printf("%s", i == 0 ? "[" : ",\n");
        print_row(&campaign_option_table[i]);
    }
    printf("]\n");
    return 0;
}
