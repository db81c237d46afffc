/* The same tables as the help, as pages of the manual: man(7), in the form that groff and mandoc read. */
#include "cli/base/exit_code.h"
#include "cli/commands/subcommand.h"

#include <ctype.h>
#include <string.h>

/* One line of text without its meaning to roff: backslashes, hyphens that are minus signs, and a dot or
 * quote that would begin a request. */
static void print_roff_text(struct bytes text, FILE *out)
{
    if (text.size > 0 && (text.data[0] == '.' || text.data[0] == '\'')) {
        fputs("\\&", out);
    }
    for (size_t i = 0; i < text.size; i++) {
        switch (text.data[i]) {
        case '\\':
            fputs("\\e", out);
            break;
        case '-':
            fputs("\\-", out);
            break;
        case '\'':
            fputs("\\(aq", out);
            break;
        case '`':
            fputs("\\(ga", out);
            break;
        case '^':
            fputs("\\(ha", out);
            break;
        case '~':
            fputs("\\(ti", out);
            break;
        default:
            fputc(text.data[i], out);
            break;
        }
    }
}

static void print_roff_string(const char *text, FILE *out)
{
    print_roff_text(bytes_of_string(text), out);
}

static void print_roff_upper(const char *text, FILE *out)
{
    for (; *text != '\0'; text++) {
        fputc(toupper((unsigned char)*text), out);
    }
}

/* Lines as they are: tables and examples. */
static void print_verbatim(const char *text, FILE *out)
{
    fputs(".EX\n", out);
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        print_roff_text(bytes_of(text, length), out);
        fputc('\n', out);
        text += length + (text[length] == '\n');
    }
    fputs(".EE\n", out);
}

static bool is_verbatim_line(const char *line)
{
    return *line == ' ' || *line == '\t';
}

/* Paragraphs are filled; lines that begin with a space stay as they are. */
static void print_details(const char *text, FILE *out)
{
    bool is_verbatim = false;
    fputs(".PP\n", out);
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        if (length > 0 && is_verbatim != is_verbatim_line(text)) {
            is_verbatim = !is_verbatim;
            fputs(is_verbatim ? ".EX\n" : ".EE\n", out);
        }
        if (length == 0) {
            fputs(is_verbatim ? "\n" : ".PP\n", out);
        } else {
            print_roff_text(bytes_of(text, length), out);
            fputc('\n', out);
        }
        text += length + (text[length] == '\n');
    }
    fputs(is_verbatim ? ".EE\n" : "", out);
}

static void print_manual_option(const struct option *option, FILE *out)
{
    fputs(".TP\n", out);
    if (option->letter != 0) {
        fprintf(out, "\\fB\\-%c\\fR, ", option->letter);
    }
    fputs("\\fB\\-\\-", out);
    print_roff_string(option->name, out);
    fputs("\\fR", out);
    if (option->argument != NULL) {
        fputs(option->bare != NULL ? "\\fI" : " \\fI", out);
        print_roff_string(option->argument, out);
        fputs("\\fR", out);
    } else if (option->type == OPTION_CHOICE) {
        for (size_t i = 0; option->choices[i] != NULL; i++) {
            fputs(i == 0 ? " " : "|", out);
            print_roff_string(option->choices[i], out);
        }
    }
    fputc('\n', out);
    print_roff_string(option->help, out);
    if (option->fallback != NULL) {
        fputs("  [", out);
        print_roff_string(option->fallback, out);
        fputc(']', out);
    }
    fputc('\n', out);
}

static void print_manual_options(const struct subcommand *subcommand, FILE *out)
{
    fputs(".SH OPTIONS\n", out);
    for (size_t i = 0; i < subcommand->option_count; i++) {
        print_manual_option(&subcommand->options[i], out);
    }
    const struct option *example = subcommand_option_of_environment(subcommand);
    if (example == NULL) {
        return;
    }
    char variable[OPTION_VARIABLE_BYTES];
    option_variable(example, variable);
    fputs(".SH ENVIRONMENT\nEach option can also be given in the environment,\n.B \\-\\-", out);
    print_roff_string(example->name, out);
    fprintf(out,
            "\nas\n.BR %s ;\nthe command line wins.\n"
            "Durations read 10, 10s, 250ms, 5m30s or 1h; a bare number is seconds.\n",
            variable);
}

static void print_title(const char *name, FILE *out)
{
    fputs(".TH TUTTI", out);
    if (*name != '\0') {
        fputc('-', out);
        print_roff_upper(name, out);
    }
    fputs(" 1 \"\" \"tutti " TUTTI_VERSION "\" \"tutti manual\"\n.SH NAME\n", out);
}

static void print_exit_status(FILE *out)
{
    fputs(".SH EXIT STATUS\n.EX\n", out);
    exit_code_print_table(out);
    fputs(".EE\n", out);
}

static void print_see_also(const struct subcommand *self, FILE *out)
{
    fputs(".SH SEE ALSO\n", out);
    if (self != NULL) {
        fputs(".BR tutti (1)", out);
    }
    for (size_t i = 0; self == NULL && subcommands[i] != NULL; i++) {
        fprintf(out, "%s.BR tutti\\-%s (1)", i == 0 ? "" : ",\n", subcommands[i]->name);
    }
    fputc('\n', out);
}

void subcommand_print_manual(const struct subcommand *subcommand, FILE *out)
{
    print_title(subcommand->name, out);
    fprintf(out, "tutti\\-%s \\- ", subcommand->name);
    print_roff_string(subcommand->summary, out);
    fprintf(out, "\n.SH SYNOPSIS\n.B tutti %s\n", subcommand->name);
    print_roff_string(subcommand->usage, out);
    fputs("\n.SH DESCRIPTION\n", out);
    print_roff_string(subcommand->summary, out);
    fputs(".\n", out);
    if (subcommand->details != NULL) {
        print_details(subcommand->details, out);
    }
    if (subcommand->option_count > 0) {
        print_manual_options(subcommand, out);
    }
    if (subcommand->tells_verdict) {
        print_exit_status(out);
    }
    if (subcommand->examples != NULL) {
        fputs(".SH EXAMPLES\n", out);
        print_verbatim(subcommand->examples, out);
    }
    print_see_also(subcommand, out);
}

void subcommand_print_overview_manual(FILE *out)
{
    print_title("", out);
    fputs(
        "tutti \\- a load tester whose users work together\n.SH SYNOPSIS\n"
        ".B tutti\n.I COMMAND\n[options]\n.SH DESCRIPTION\n"
        "Virtual users on many machines wait for each other, meet at barriers and share variables, while a\n"
        "coordinator keeps what they agree on and agents generate the load.\n.SH COMMANDS\n",
        out);
    for (size_t i = 0; subcommands[i] != NULL; i++) {
        fprintf(out, ".TP\n.BR tutti\\-%s (1)\n", subcommands[i]->name);
        print_roff_string(subcommands[i]->summary, out);
        fputc('\n', out);
    }
    print_exit_status(out);
    fputs(".SH EXAMPLES\n", out);
    print_verbatim("  tutti init\n  tutti run loadtest.lua --target builtin\n", out);
    print_see_also(NULL, out);
}
