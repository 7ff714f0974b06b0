/* help.c - see help.h. */
#include "cli/help.h"

#include <ctype.h>
#include <string.h>

#include "common/version.h"

#define INDENT 2
#define NAMES  28 /* where the explanations of flags begin */

static const struct {
    int code;
    const char *text;
} exits[] = {
    {CLI_OK, "done"},
    {CLI_FAILED, "it failed: refused by the server, a damaged object or backup, a local "
                 "file"},
    {CLI_USAGE, "the command line is wrong, or a question was not answered with yes"},
    {CLI_NOT_FOUND, "there is no such thing (404)"},
    {CLI_DENIED,
     "no token, a wrong or expired one, or one without this right (401, 403)"},
    {CLI_CONFLICT,
     "it is there already, was changed meanwhile, or is over a limit (409, 412)"},
    {CLI_UNREACHABLE, "no node could be reached, is trusted, or leads, until --timeout"},
    {CLI_WAITED, "--wait gave up; what was asked for goes on"},
};

/* Print TEXT from column AT on, broken at spaces before WIDTH, further lines indented by
 * INDENT_BY. Ends the line. A newline in TEXT is kept. */
static void wrap(const char *text, size_t at, size_t indent_by, size_t width, FILE *out)
{
    while (*text != '\0') {
        size_t len = strcspn(text, " \n");
        if (at + len > width && at > indent_by) {
            fprintf(out, "\n%*s", (int)indent_by, "");
            at = indent_by;
        }
        fwrite(text, 1, len, out);
        at += len;
        text += len;
        if (*text == '\n') {
            fprintf(out, "\n%*s", (int)indent_by, "");
            at = indent_by;
            text++;
        } else if (*text == ' ') {
            size_t next = strcspn(++text, " \n");
            if (at + 1 + next <= width) {
                fputc(' ', out);
                at++;
            } else {
                fprintf(out, "\n%*s", (int)indent_by, "");
                at = indent_by;
            }
        }
    }
    fputc('\n', out);
}

/* "  NAME     explanation", the explanation wrapped at COLUMN. */
static void row(const char *name, const char *text, size_t column, size_t width,
                FILE *out)
{
    size_t at = INDENT + strlen(name);

    fprintf(out, "%*s%s", INDENT, "", name);
    if (at + 2 > column) {
        fputc('\n', out);
        at = 0;
    }
    fprintf(out, "%*s", (int)(column - at), "");
    wrap(text, column, column, width, out);
}

static void print_flag(const struct flag *flag, size_t width, FILE *out)
{
    char name[96], text[512], choices[256] = "", letter[8] = "    ";

    if (flag->letter != 0)
        (void)snprintf(letter, sizeof(letter), "-%c, ", flag->letter);
    (void)snprintf(name, sizeof(name), "%s--%s%s%s", letter, flag->name,
                   flag->placeholder == NULL ? "" : " ",
                   flag->placeholder == NULL ? "" : flag->placeholder);
    for (size_t i = 0, n = 0;
         flag->choices != NULL && flag->choices[i] != '\0' && n + 3 < sizeof(choices);
         i++) {
        if (flag->choices[i] == '|')
            choices[n++] = ',';
        choices[n++] = flag->choices[i] == '|' ? ' ' : flag->choices[i];
        choices[n] = '\0';
    }
    bool repeats = flag->type == FLAG_PAIR || flag->type == FLAG_UNSET ||
                   (flag->type == FLAG_LIST && flag->place != PLACE_LOCAL);
    (void)snprintf(text, sizeof(text), "%s%s%s%s%s%s%s", flag->help,
                   flag->choices == NULL ? "" : ": ", choices,
                   flag->fallback == NULL ? "" : "; default: ",
                   flag->fallback == NULL ? "" : flag->fallback,
                   repeats ? "; may be repeated" : "",
                   flag->required ? "; required" : "");
    row(name, text, NAMES, width, out);
}

static void upper(const char *name, char *to, size_t size)
{
    size_t i = 0;
    for (; name[i] != '\0' && i + 1 < size; i++)
        to[i] = name[i] == '_' ? '-' : (char)toupper((unsigned char)name[i]);
    to[i] = '\0';
}

void help_usage(const struct command *command, FILE *out)
{
    fprintf(out, "usage: weft %s", command->words);
    for (const struct argument *arg = command->args; arg->name != NULL; arg++) {
        char name[64];
        upper(arg->name, name, sizeof(name));
        fprintf(out, arg->optional ? " [%s]" : " %s", name);
    }
    for (const struct flag *flag = command->flags; flag->name != NULL; flag++) {
        if (flag->required)
            fprintf(out, " --%s %s", flag->name, flag->placeholder);
    }
    fputs(" [flags]\n", out);
}

static void print_examples(const char *examples, FILE *out)
{
    fputs("\nexamples:\n", out);
    while (*examples != '\0') {
        size_t len = strcspn(examples, "\n");
        fprintf(out, "  %.*s\n", (int)len, examples);
        examples += len + (examples[len] == '\n');
    }
}

/* Whole paragraphs of DETAILS: a line that begins with a space is left as it is. */
static void print_details(const char *details, size_t width, FILE *out)
{
    fputc('\n', out);
    wrap(details, 0, 0, width, out);
}

static void print_exits(size_t width, FILE *out)
{
    char code[8];

    fputs("\nexit codes:\n", out);
    for (size_t i = 0; i < sizeof(exits) / sizeof(exits[0]); i++) {
        (void)snprintf(code, sizeof(code), "%d", exits[i].code);
        row(code, exits[i].text, 5, width, out);
    }
}

static void print_command(const struct command *command, size_t width, FILE *out)
{
    size_t local = command_local_flags(command);
    const struct flag *flag;

    help_usage(command, out);
    fprintf(out, "\n%s.\n", command->summary);
    if (command->details != NULL)
        print_details(command->details, width, out);
    if (command->args[0].name != NULL)
        fputs("\narguments:\n", out);
    for (const struct argument *arg = command->args; arg->name != NULL; arg++) {
        char name[64];
        upper(arg->name, name, sizeof(name));
        row(name, arg->help, NAMES, width, out);
    }
    if (local > 0)
        fputs("\nflags:\n", out);
    for (size_t i = 0; i < local; i++)
        print_flag(command_flag_at(command, i), width, out);
    fputs("\nflags of every command:\n", out);
    for (size_t i = local; (flag = command_flag_at(command, i)) != NULL; i++)
        print_flag(flag, width, out);
    row("-h, --help", "this text", NAMES, width, out);
    if (command->examples != NULL)
        print_examples(command->examples, out);
    if (command->method != NULL)
        fprintf(out, "\nAPI: %s %s\n", command->method, command->path);
    print_exits(width, out);
}

/* The word behind PREFIX in WORDS, when WORDS is below PREFIX. */
static bool below(const char *words, const char *prefix, const char **rest)
{
    size_t len = strlen(prefix);

    if (len == 0) {
        *rest = words;
        return true;
    }
    if (strncmp(words, prefix, len) != 0 || words[len] != ' ')
        return false;
    *rest = words + len + 1;
    return true;
}

static void print_group(const char *words, size_t width, FILE *out)
{
    const struct group *group = command_group_find(words);
    const struct command *command;
    const char *rest;

    fprintf(out, "usage: weft %s COMMAND\n", words);
    if (group != NULL)
        fprintf(out, "\n%s.\n", group->summary);
    if (group != NULL && group->details != NULL)
        print_details(group->details, width, out);
    fputs("\ncommands:\n", out);
    for (size_t i = 0; (command = command_at(i)) != NULL; i++) {
        if (below(command->words, words, &rest))
            row(command->words, command->summary, NAMES, width, out);
    }
    fprintf(out, "\n`weft %s COMMAND --help` says more, with examples.\n", words);
}

static void print_program(size_t width, FILE *out)
{
    const struct command *command;
    const struct group *group;
    const char *const examples =
        "weft login https://cp.example.com:7800 --ca-fingerprint 5f1c... --token @token\n"
        "weft cell status\n"
        "weft topic create orders --partitions 12 --config retention.ms=604800000\n"
        "weft topic list --all -o json | jq -r '.items[].name'\n"
        "weft backup create cell.weft && weft backup verify cell.weft\n"
        "source <(weft completion bash)";

    fputs("usage: weft COMMAND [flags]\n\n", out);
    wrap("weft " WEFT_VERSION " manages Weft's control plane through its REST API.", 0, 0,
         width, out);
    fputs("\ncommands:\n", out);
    for (size_t i = 0; (command = command_at(i)) != NULL; i++) {
        if (strchr(command->words, ' ') == NULL)
            row(command->words, command->summary, NAMES, width, out);
    }
    fputs("\ngroups of commands:\n", out);
    for (size_t i = 0; (group = command_group_at(i)) != NULL; i++) {
        if (strchr(group->words, ' ') == NULL)
            row(group->words, group->summary, NAMES, width, out);
    }
    fputs("\nflags of every command:\n", out);
    for (const struct flag *flag = global_flags; flag->name != NULL; flag++)
        print_flag(flag, width, out);
    row("-h, --help", "more about a command or a group", NAMES, width, out);
    print_examples(examples, out);
    print_exits(width, out);
    fputs("\n`weft GROUP --help` and `weft GROUP COMMAND --help` say more.\n", out);
}

void help_print(const char *words, size_t width, FILE *out)
{
    const struct command *command = command_find(words);

    width = width < 60 ? 60 : width > 100 ? 100 : width;
    if (command != NULL)
        print_command(command, width, out);
    else if (words[0] != '\0')
        print_group(words, width, out);
    else
        print_program(width, out);
}
