/* `tutti completion`: shell completion of our commands and options, generated from their tables. */
#include "cli/base/exit_code.h"
#include "cli/commands/subcommand.h"
#include "common/log.h"

#include <string.h>

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
    return option->type != OPTION_FLAG && option->type != OPTION_COUNT;
}

static void print_bash_options(const struct subcommand *subcommand)
{
    printf("    %s) words=\"--help", subcommand->name);
    for (size_t i = 0; i < subcommand->option_count; i++) {
        printf(" --%s", subcommand->options[i].name);
    }
    printf("\" ;;\n");
}

static void print_bash_choices(const struct option *option)
{
    printf("    --%s) words=\"", option->name);
    for (size_t i = 0; option->choices[i] != NULL; i++) {
        printf("%s%s", i == 0 ? "" : " ", option->choices[i]);
    }
    printf("\"; COMPREPLY=($(compgen -W \"$words\" -- \"$current\")); return ;;\n");
}

static void print_bash(void)
{
    printf("# bash completion for tutti: source <(tutti completion bash)\n_tutti() {\n"
           "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} words=\"\"\n"
           "  if (( COMP_CWORD == 1 )); then\n    COMPREPLY=($(compgen -W \"");
    for (size_t i = 0; subcommands[i] != NULL; i++) {
        printf("%s ", subcommands[i]->name);
    }
    printf("--help --version\" -- \"$current\"))\n    return\n  fi\n  case $previous in\n");
    for (size_t i = 0; i < run_subcommand.option_count; i++) {
        if (run_subcommand.options[i].type == OPTION_CHOICE) {
            print_bash_choices(&run_subcommand.options[i]);
        }
    }
    printf("  esac\n  case ${COMP_WORDS[1]} in\n");
    for (size_t i = 0; subcommands[i] != NULL; i++) {
        print_bash_options(subcommands[i]);
    }
    printf("  esac\n  if [[ $current == -* ]]; then\n"
           "    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n  else\n"
           "    COMPREPLY=($(compgen -f -- \"$current\"))\n  fi\n}\n"
           "complete -o filenames -F _tutti tutti\n");
}

static void print_zsh_option(const struct option *option)
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
        printf(":%s:_files", option->name);
    }
    putchar('\'');
}

static void print_zsh(void)
{
    printf("#compdef tutti\n# zsh completion for tutti: source <(tutti completion zsh)\n_tutti() {\n"
           "  local -a commands\n  commands=(\n");
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
            print_zsh_option(&subcommands[i]->options[j]);
        }
        printf(" \\\n      '--help[show help]' '*:file:_files' ;;\n");
    }
    printf("  esac\n}\ncompdef _tutti tutti\n");
}

static void print_fish_option(const char *command, const struct option *option)
{
    printf("complete -c tutti -n '__fish_seen_subcommand_from %s' -l %s", command, option->name);
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
        printf(" -r");
    }
    printf(" -d '");
    print_quoted(option->help);
    printf("'\n");
}

static void print_fish(void)
{
    printf("# fish completion for tutti: tutti completion fish | source\n");
    for (size_t i = 0; subcommands[i] != NULL; i++) {
        printf("complete -c tutti -n __fish_use_subcommand -f -a %s -d '", subcommands[i]->name);
        print_quoted(subcommands[i]->summary);
        printf("'\n");
        for (size_t j = 0; j < subcommands[i]->option_count; j++) {
            print_fish_option(subcommands[i]->name, &subcommands[i]->options[j]);
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
