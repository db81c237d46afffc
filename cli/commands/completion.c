/* `tutti completion`: shell completion of our commands and options, generated from their tables. */
#include "cli/base/exit_code.h"
#include "cli/commands/subcommand.h"
#include "common/log.h"

#include <string.h>

/* What follows a command, as the first word of its usage says. */
enum completion_word {
    WORD_NOTHING,
    WORD_SCRIPT,
    WORD_FOLDER,
    WORD_CAMPAIGN,
    WORD_CAMPAIGNS,
    WORD_COMMAND,
    WORD_SHELL
};

static enum completion_word word_of(const struct subcommand *subcommand)
{
    static const struct {
        const char *usage;
        enum completion_word word;
    } rows[] = {{"SCRIPT", WORD_SCRIPT},     {"[DIR]", WORD_FOLDER},       {"DIR", WORD_FOLDER},
                {"ID", WORD_CAMPAIGN},       {"[ID]", WORD_CAMPAIGN},      {"ID…", WORD_CAMPAIGNS},
                {"[COMMAND]", WORD_COMMAND}, {"bash|zsh|fish", WORD_SHELL}};
    size_t size = strcspn(subcommand->usage, " ");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strlen(rows[i].usage) == size && strncmp(rows[i].usage, subcommand->usage, size) == 0) {
            return rows[i].word;
        }
    }
    return WORD_NOTHING;
}

/* Functions of the shell that ask the coordinator, if there is one. Both shells know this much of each other.
 */
static const char ask_in_shell[] =
    "_tutti_campaigns() { tutti status --retry 0 2>/dev/null | sed -n 's/^ *\\([0-9][0-9]*\\) .*/\\1/p'; }\n"
    "_tutti_agents() { tutti agents --retry 0 2>/dev/null | sed -n '2,$s/^ *\\([^ ][^ ]*\\) .*/\\1/p'; }\n";

/* Characters with a special meaning inside the quotes of zsh's specifications. */
static void print_zsh_text(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'') {
            fputs("'\\''", stdout);
        } else {
            if (strchr("[]:\\", *text) != NULL) {
                putchar('\\');
            }
            putchar(*text);
        }
    }
}

static void print_quoted(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'' || *text == '\\') {
            putchar('\\');
        }
        putchar(*text);
    }
}

static bool takes_value(const struct option *option)
{
    return option->type != OPTION_FLAG && option->type != OPTION_COUNT && option->bare == NULL;
}

static bool takes_path(const struct option *option)
{
    return takes_value(option) && option->argument != NULL &&
           (strstr(option->argument, "FILE") != NULL || strstr(option->argument, "DIR") != NULL ||
            strstr(option->argument, "PATH") != NULL);
}

static bool takes_agent(const struct subcommand *subcommand, const struct option *option)
{
    return subcommand == &keygen_subcommand && takes_value(option);
}

static void print_commands(void)
{
    for (size_t i = 0; subcommands[i] != NULL; i++) {
        printf("%s%s", i == 0 ? "" : " ", subcommands[i]->name);
    }
}

static void print_bash_options(const struct subcommand *subcommand)
{
    printf("    %s) words=\"--help", subcommand->name);
    for (size_t i = 0; i < subcommand->option_count; i++) {
        printf(" --%s", subcommand->options[i].name);
    }
    printf("\" ;;\n");
}

static void print_bash_value(const struct subcommand *subcommand, const struct option *option)
{
    printf("    %s:--%s", subcommand->name, option->name);
    if (option->letter != 0) {
        printf("|%s:-%c", subcommand->name, option->letter);
    }
    if (option->type == OPTION_CHOICE) {
        printf(") words=\"");
        for (size_t i = 0; option->choices[i] != NULL; i++) {
            printf("%s%s", i == 0 ? "" : " ", option->choices[i]);
        }
        printf("\"");
    } else if (takes_agent(subcommand, option)) {
        printf(") words=$(_tutti_agents)");
    } else {
        printf(takes_path(option) ? ") files=any" : ") files=");
    }
    printf(" ;;\n");
}

static void print_bash_word(const struct subcommand *subcommand)
{
    static const char *const texts[] = {
        [WORD_NOTHING] = "",
        [WORD_SCRIPT] = "files=lua",
        [WORD_FOLDER] = "files=any",
        [WORD_CAMPAIGN] = "words=$(_tutti_campaigns)",
        [WORD_CAMPAIGNS] = "words=$(_tutti_campaigns)",
        [WORD_COMMAND] = "",
        [WORD_SHELL] = "words=\"bash zsh fish\"",
    };
    enum completion_word word = word_of(subcommand);
    printf("      %s) ", subcommand->name);
    if (word == WORD_COMMAND) {
        printf("words=\"");
        print_commands();
        printf("\" ;;\n");
    } else {
        printf("%s ;;\n", texts[word]);
    }
}

static void print_bash(void)
{
    printf("# bash completion for tutti: source <(tutti completion bash)\n%s_tutti() {\n"
           "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} words=\"\" "
           "files=\"\" suffix\n"
           "  if (( COMP_CWORD == 1 )); then\n    COMPREPLY=($(compgen -W \"",
           ask_in_shell);
    print_commands();
    printf(" --help --version\" -- \"$current\"))\n    return\n  fi\n  case ${COMP_WORDS[1]}:$previous in\n");
    for (size_t i = 0; subcommands[i] != NULL; i++) {
        for (size_t j = 0; j < subcommands[i]->option_count; j++) {
            if (takes_value(&subcommands[i]->options[j])) {
                print_bash_value(subcommands[i], &subcommands[i]->options[j]);
            }
        }
    }
    printf("    *) if [[ $current == -* ]]; then case ${COMP_WORDS[1]} in\n");
    for (size_t i = 0; subcommands[i] != NULL; i++) {
        print_bash_options(subcommands[i]);
    }
    printf("    esac; else case ${COMP_WORDS[1]} in\n");
    for (size_t i = 0; subcommands[i] != NULL; i++) {
        print_bash_word(subcommands[i]);
    }
    printf("    esac; fi ;;\n  esac\n"
           "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
           "  if [[ -n $files ]]; then\n"
           "    compopt -o filenames 2>/dev/null\n"
           "    [[ $files == lua ]] && suffix='!*.lua'\n"
           "    mapfile -t COMPREPLY < <(compgen -f -X \"$suffix\" -- \"$current\"; "
           "[[ $files == lua ]] && compgen -d -- \"$current\")\n"
           "  fi\n}\ncomplete -F _tutti tutti\n");
}

static void print_zsh_option(const struct subcommand *subcommand, const struct option *option)
{
    if (option->letter != 0) {
        printf(" \\\n      '(-%c --%s)'{-%c,--%s}'[", option->letter, option->name, option->letter,
               option->name);
    } else {
        printf(" \\\n      '--%s[", option->name);
    }
    print_zsh_text(option->help);
    putchar(']');
    if (option->type == OPTION_CHOICE) {
        printf(":%s:(", option->name);
        for (size_t i = 0; option->choices[i] != NULL; i++) {
            printf("%s%s", i == 0 ? "" : " ", option->choices[i]);
        }
        putchar(')');
    } else if (takes_value(option)) {
        printf(":%s:%s", option->name,
               takes_path(option)                ? "_files"
               : takes_agent(subcommand, option) ? "($(_tutti_agents))"
                                                 : " ");
    }
    putchar('\'');
}

static void print_zsh_word(const struct subcommand *subcommand)
{
    static const char *const texts[] = {
        [WORD_NOTHING] = "",
        [WORD_SCRIPT] = " '1:script:_files -g \"*.lua\"'",
        [WORD_FOLDER] = " '1:folder:_files -/'",
        [WORD_CAMPAIGN] = " \"1:campaign:($(_tutti_campaigns))\"",
        [WORD_CAMPAIGNS] = " \"*:campaign:($(_tutti_campaigns))\"",
        [WORD_COMMAND] = " '1:command:",
        [WORD_SHELL] = " '1:shell:(bash zsh fish)'",
    };
    enum completion_word word = word_of(subcommand);
    printf("%s", texts[word]);
    if (word == WORD_COMMAND) {
        printf("(");
        print_commands();
        printf(")'");
    }
}

static void print_zsh(void)
{
    printf("#compdef tutti\n# zsh completion for tutti: source <(tutti completion zsh)\n%s_tutti() {\n"
           "  local -a commands\n  commands=(\n",
           ask_in_shell);
    for (size_t i = 0; subcommands[i] != NULL; i++) {
        printf("    '%s:", subcommands[i]->name);
        print_zsh_text(subcommands[i]->summary);
        printf("'\n");
    }
    printf("  )\n  if (( CURRENT == 2 )); then\n    _describe command commands\n    return\n  fi\n"
           "  case $words[2] in\n");
    for (size_t i = 0; subcommands[i] != NULL; i++) {
        printf("    %s) _arguments", subcommands[i]->name);
        for (size_t j = 0; j < subcommands[i]->option_count; j++) {
            print_zsh_option(subcommands[i], &subcommands[i]->options[j]);
        }
        printf(" \\\n      '--help[show help]'");
        print_zsh_word(subcommands[i]);
        printf(" ;;\n");
    }
    printf("  esac\n}\ncompdef _tutti tutti\n");
}

static void print_fish_option(const struct subcommand *subcommand, const struct option *option)
{
    printf("complete -c tutti -n '__fish_seen_subcommand_from %s' -l %s", subcommand->name, option->name);
    if (option->letter != 0) {
        printf(" -s %c", option->letter);
    }
    if (option->type == OPTION_CHOICE) {
        printf(" -x -a '");
        for (size_t i = 0; option->choices[i] != NULL; i++) {
            printf("%s%s", i == 0 ? "" : " ", option->choices[i]);
        }
        putchar('\'');
    } else if (takes_value(option)) {
        printf(takes_path(option)                ? " -r -F"
               : takes_agent(subcommand, option) ? " -x -a '(_tutti_agents)'"
                                                 : " -x");
    }
    printf(" -d '");
    print_quoted(option->help);
    printf("'\n");
}

static void print_fish_word(const struct subcommand *subcommand)
{
    static const char *const texts[] = {
        [WORD_NOTHING] = "-f",
        [WORD_SCRIPT] = "-F",
        [WORD_FOLDER] = "-F",
        [WORD_CAMPAIGN] = "-f -a '(_tutti_campaigns)'",
        [WORD_CAMPAIGNS] = "-f -a '(_tutti_campaigns)'",
        [WORD_COMMAND] = "-f -a '",
        [WORD_SHELL] = "-f -a 'bash zsh fish'",
    };
    enum completion_word word = word_of(subcommand);
    printf("complete -c tutti -n '__fish_seen_subcommand_from %s' %s", subcommand->name, texts[word]);
    if (word == WORD_COMMAND) {
        print_commands();
        printf("'");
    }
    printf("\n");
}

static void print_fish(void)
{
    printf("# fish completion for tutti: tutti completion fish | source\n"
           "function _tutti_campaigns; tutti status --retry 0 2>/dev/null | string match -r -g '^ *([0-9]+) "
           "'; end\n"
           "function _tutti_agents; tutti agents --retry 0 2>/dev/null | tail -n +2 | string match -r -g '^ "
           "*([^ ]+) "
           "'; end\n");
    for (size_t i = 0; subcommands[i] != NULL; i++) {
        printf("complete -c tutti -n __fish_use_subcommand -f -a %s -d '", subcommands[i]->name);
        print_quoted(subcommands[i]->summary);
        printf("'\n");
        print_fish_word(subcommands[i]);
        for (size_t j = 0; j < subcommands[i]->option_count; j++) {
            print_fish_option(subcommands[i], &subcommands[i]->options[j]);
        }
    }
}

static const struct {
    const char *shell;
    void (*print)(void);
} shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};

static int run_completion(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < sizeof shells / sizeof shells[0]; i++) {
        if (strcmp(shells[i].shell, argv[1]) == 0) {
            shells[i].print();
            return EXIT_CODE_PASSED;
        }
    }
    log_line(LOG_ERROR, "completion", "needs one of bash, zsh, fish (see tutti help completion)");
    return EXIT_CODE_USAGE;
}

const struct subcommand completion_subcommand = {
    .name = "completion",
    .usage = "bash|zsh|fish",
    .summary = "Prints a script for shell completion of commands and options",
    .examples = "  source <(tutti completion bash)\n"
                "  tutti completion fish > ~/.config/fish/completions/tutti.fish\n",
    .needs = {.descriptors = 4, .threads = 0},
    .run = run_completion,
};
