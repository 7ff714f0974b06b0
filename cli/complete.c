/* complete.c - see complete.h. */
#include "cli/complete.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/grid.h"
#include "cli/names.h"

#define LINE_MAX_BYTES 4096

static const char bash_script[] =
    "# bash completion of weft; made by: weft completion bash\n"
    "_weft()\n"
    "{\n"
    "    local line=${COMP_LINE:0:COMP_POINT} cur stem candidate IFS\n"
    "    local -a words\n"
    "    COMPREPLY=()\n"
    "    read -ra words <<<\"$line\"\n"
    "    [[ $line == *[[:space:]] ]] && words+=(\"\")\n"
    "    cur=${words[-1]}\n"
    "    # bash cuts words at these; it replaces only what is behind the last cut.\n"
    "    stem=\n"
    "    [[ $COMP_WORDBREAKS == *=* && $cur == *=* ]] && stem=${cur%\"${cur##*=}\"}\n"
    "    [[ $COMP_WORDBREAKS == *:* && $cur == *:* ]] && stem=${cur%\"${cur##*:}\"}\n"
    "    while IFS=$'\\t' read -r candidate _; do\n"
    "        if [[ $candidate == :file ]]; then\n"
    "            while IFS= read -r candidate; do\n"
    "                COMPREPLY+=(\"$candidate\")\n"
    "            done < <(compgen -f -- \"${cur##*[=@]}\")\n"
    "            compopt -o filenames 2>/dev/null || :\n"
    "        else\n"
    "            COMPREPLY+=(\"${candidate#\"$stem\"}\")\n"
    "        fi\n"
    "    done < <(\"${words[0]}\" " COMPLETE_WORD " \"${words[@]:1}\" 2>/dev/null)\n"
    "    [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace "
    "2>/dev/null || :\n"
    "    return 0\n"
    "}\n"
    "complete -F _weft weft\n";

static const char zsh_script[] =
    "#compdef weft\n"
    "# zsh completion of weft; made by: weft completion zsh\n"
    "_weft()\n"
    "{\n"
    "    local -a lines described\n"
    "    local line word about files=0\n"
    "    lines=(\"${(@f)$(${words[1]} " COMPLETE_WORD
    " \"${(@)words[2,CURRENT]}\" 2>/dev/null)}\")\n"
    "    for line in $lines; do\n"
    "        if [[ $line == :file ]]; then\n"
    "            files=1\n"
    "            continue\n"
    "        fi\n"
    "        word=${line%%$'\\t'*}\n"
    "        about=\n"
    "        [[ $line == *$'\\t'* ]] && about=${line#*$'\\t'}\n"
    "        described+=(\"${word//:/\\\\:}:$about\")\n"
    "    done\n"
    "    (( ${#described} )) && _describe weft described\n"
    "    (( files )) && { compset -P '*[=@]'; _files }\n"
    "    return 0\n"
    "}\n"
    "if [[ $zsh_eval_context[-1] == loadautofunc ]]; then\n"
    "    _weft \"$@\"\n"
    "else\n"
    "    compdef _weft weft\n"
    "fi\n";

int complete_script(struct cli *cli)
{
    const char *shell = args_value(&cli->args, "shell");

    if (strcmp(shell, "bash") == 0)
        (void)fputs(bash_script, stdout);
    else
        (void)fputs(zsh_script, stdout);
    return CLI_OK;
}

/* ---- candidates ---- */

/* Where a line stands before its last word. */
struct position {
    struct cli *cli;
    char words[ARGS_WORDS_MAX];
    const struct command *command;
    size_t arguments;
    const struct flag *pending; /* the last word is its value */
    bool flags_ended;
    const char *current; /* the word to complete */
    const char *stem;    /* "--name=" in front of a value, or "" */
    size_t stem_len;
};

static void offer(const struct position *at, const char *candidate, const char *about)
{
    struct str line;

    if (strncmp(candidate, at->current, strlen(at->current)) != 0)
        return;
    str_init(&line, LINE_MAX_BYTES);
    str_append(&line, at->stem, at->stem_len);
    grid_clean(slice_str(candidate), &line);
    if (about != NULL && *about != '\0') {
        str_putc(&line, '\t');
        grid_clean(slice_str(about), &line);
    }
    (void)puts(str_cstr(&line));
    str_fini(&line);
}

static void offer_name(const char *name, const char *about, void *arg)
{
    offer(arg, name, about);
}

static void offer_choices(const struct position *at, const char *choices)
{
    while (*choices != '\0') {
        char word[64];
        size_t len = strcspn(choices, "|");
        (void)snprintf(word, sizeof(word), "%.*s", (int)len, choices);
        offer(at, word, NULL);
        choices += len + (choices[len] == '|');
    }
}

static void offer_names(struct position *at, enum names names)
{
    if (names == NAMES_FILE)
        (void)puts(":file");
    else if (names != NAMES_NONE)
        names_each(at->cli, names, offer_name, at);
}

static void offer_value(struct position *at, const struct flag *flag)
{
    if (flag->choices != NULL)
        offer_choices(at, flag->choices);
    else if (flag->type == FLAG_FILE ||
             (flag->type == FLAG_SECRET && at->current[0] == '@'))
        (void)puts(":file");
    else if (flag->type == FLAG_BOOL)
        offer_choices(at, "true|false");
    else if (flag->type != FLAG_SECRET)
        offer_names(at, flag->names);
}

static void offer_flags(const struct position *at)
{
    const struct flag *flag;
    char name[80];

    for (size_t i = 0; (flag = command_flag_at(at->command, i)) != NULL; i++) {
        (void)snprintf(name, sizeof(name), "--%s", flag->name);
        offer(at, name, flag->help);
    }
    offer(at, "--help", "more about this command");
}

/* What people say of the words that begin with WORDS. */
static const char *about_words(const char *words)
{
    const struct command *command = command_find(words);
    const struct group *group = command_group_find(words);

    return command != NULL ? command->summary : group != NULL ? group->summary : NULL;
}

static void offer_words(const struct position *at)
{
    size_t skip = strlen(at->words);
    char last[64] = "", next[64], whole[ARGS_WORDS_MAX + 66];
    const struct command *command;

    for (size_t i = 0; (command = command_at(i)) != NULL; i++) {
        if (skip > 0 && (strncmp(command->words, at->words, skip) != 0 ||
                         command->words[skip] != ' '))
            continue;
        const char *from = command->words + skip + (skip > 0);
        (void)snprintf(next, sizeof(next), "%.*s", (int)strcspn(from, " "), from);
        if (strcmp(next, last) == 0)
            continue; /* rows of a group stand together */
        (void)strcpy(last, next);
        (void)snprintf(whole, sizeof(whole), "%s%s%s", at->words, skip > 0 ? " " : "",
                       next);
        offer(at, next, about_words(whole));
    }
    if (skip == 0)
        offer(at, "help", "more about a command or a group");
}

/* ---- the words before ---- */

static const struct flag *flag_named(const struct command *command, const char *word)
{
    const struct flag *flag;

    for (size_t i = 0; (flag = command_flag_at(command, i)) != NULL; i++) {
        size_t len = strlen(flag->name);
        if (word[1] == '-' ? strncmp(word + 2, flag->name, len) == 0 &&
                                 (word[2 + len] == '\0' || word[2 + len] == '=')
                           : flag->letter != 0 && word[1] == flag->letter)
            return flag;
    }
    return NULL;
}

static void pass_flag(struct position *at, const char *word)
{
    const struct flag *flag = flag_named(at->command, word);
    bool has_value = word[1] == '-' ? strchr(word, '=') != NULL : word[2] != '\0';

    if (flag != NULL && flag->type != FLAG_BOOL && !has_value)
        at->pending = flag;
}

static void pass_word(struct position *at, const char *word)
{
    char longer[ARGS_WORDS_MAX];

    if (at->pending != NULL) {
        at->pending = NULL;
        return;
    }
    if (!at->flags_ended && strcmp(word, "--") == 0) {
        at->flags_ended = true;
        return;
    }
    if (!at->flags_ended && word[0] == '-' && word[1] != '\0') {
        pass_flag(at, word);
        return;
    }
    if (at->command != NULL) {
        at->arguments++;
        return;
    }
    if (at->words[0] == '\0' && strcmp(word, "help") == 0)
        return;
    int len = snprintf(longer, sizeof(longer), "%s%s%s", at->words,
                       at->words[0] == '\0' ? "" : " ", word);
    if (len > 0 && (size_t)len < sizeof(longer) && command_is_prefix(longer)) {
        (void)strcpy(at->words, longer);
        at->command = command_find(longer);
    }
}

static void complete_current(struct position *at)
{
    const char *equals = strchr(at->current, '=');

    if (at->pending != NULL) {
        offer_value(at, at->pending);
    } else if (!at->flags_ended && strncmp(at->current, "--", 2) == 0 && equals != NULL) {
        const struct flag *flag = flag_named(at->command, at->current);
        at->stem = at->current;
        at->stem_len = (size_t)(equals + 1 - at->current);
        at->current = equals + 1;
        if (flag != NULL)
            offer_value(at, flag);
    } else if (!at->flags_ended && at->current[0] == '-') {
        offer_flags(at);
    } else if (at->command == NULL) {
        offer_words(at);
    } else if (at->arguments < COMMAND_ARGS_MAX &&
               at->command->args[at->arguments].name != NULL) {
        const struct argument *arg = &at->command->args[at->arguments];
        if (arg->choices != NULL)
            offer_choices(at, arg->choices);
        else
            offer_names(at, arg->names);
    }
}

int complete_run(struct cli *cli, int argc, char **argv)
{
    struct position at = {.cli = cli, .current = "", .stem = ""};
    static char *words[ARGS_REPEAT_MAX];
    struct err err;
    int count = 0;

    /* Completion says nothing but candidates. */
    if (freopen("/dev/null", "w", stderr) == NULL)
        return CLI_OK;
    for (int i = 0; i + 1 < argc; i++)
        pass_word(&at, argv[i]);
    if (argc > 0)
        at.current = argv[argc - 1];
    /* The flags so far count for calls of the API: --context, --cluster ... */
    for (int i = 0; i + 1 < argc && count < ARGS_REPEAT_MAX - 2; i++)
        words[count++] = argv[i];
    if (at.pending != NULL && count > 0)
        count--;
    if (args_parse(&cli->args, count, words, &err) == 0 || cli->args.command != NULL)
        cli->args.command = at.command;
    cli->quiet = true;
    cli->timeout_ms = 2000;
    if (cli_context(cli) != 0)
        return CLI_OK;
    complete_current(&at);
    return CLI_OK;
}
