/* command.h - what a command of `weft` is: one row of a table.
 *
 * The rows (cli/command_*.c) are the only place where a command is described. From a row
 * come how its line is parsed (args.c), its --help (help.c), what completion offers
 * (complete.c), the HTTP call (call.c) and the columns of its table (output.c). Most
 * rows need no code at all; those that do name a function in `run`.
 *
 * Everything here is constant data; texts are literals. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "common/defs.h"

struct cli;

/* Exit codes of every command; EXIT_ROWS in help.c says them to people. */
enum cli_exit {
    CLI_OK = 0,
    CLI_FAILED = 1,      /* refused by the server for another reason, damage, files */
    CLI_USAGE = 2,       /* the command line, or a "no" to a question */
    CLI_NOT_FOUND = 3,   /* 404 */
    CLI_DENIED = 4,      /* 401, 403, no context */
    CLI_CONFLICT = 5,    /* 409, 412 */
    CLI_UNREACHABLE = 6, /* no connection, no trust, no leader, overloaded to the end */
    CLI_WAITED = 7,      /* --wait gave up; what was asked goes on */
};

/* Names that completion and name-to-id lookup get from the API. */
enum names {
    NAMES_NONE,
    NAMES_CLUSTER,
    NAMES_TOPIC,
    NAMES_GROUP,
    NAMES_AGENT,
    NAMES_USER,
    NAMES_TOKEN,
    NAMES_ENROLMENT,
    NAMES_JOIN,
    NAMES_NODE,
    NAMES_CA,
    NAMES_BACKUP,
    NAMES_CONTEXT, /* of the config file */
    NAMES_FILE,    /* the shell's own file completion */
};

/* Where a value of the command line goes. */
enum place {
    PLACE_LOCAL, /* the command's function asks for it */
    PLACE_PATH,  /* arguments only: {name} of the path */
    PLACE_QUERY,
    PLACE_BODY, /* `field`: member of the JSON body, "a.b" for one inside of another */
};

struct argument {
    const char *name; /* as in the path's braces; shown in upper case */
    const char *help;
    enum place place;
    const char *field; /* PLACE_BODY, PLACE_QUERY; NULL: the name */
    enum names names;
    const char *choices; /* words separated by "|", or NULL */
    bool optional;
    bool number; /* a number, in the body also */
};

enum flag_type {
    FLAG_BOOL, /* no value; also --name=false */
    FLAG_TEXT,
    FLAG_SECRET,   /* text, "@FILE" is read from that file, "-" from standard input */
    FLAG_FILE,     /* the content of that file, "-" for standard input */
    FLAG_INT,      /* 64 bits, not negative */
    FLAG_SIZE,     /* bytes; 8MiB, 64k */
    FLAG_DURATION, /* milliseconds; 10s, 24h, 30d */
    FLAG_TIME,  /* milliseconds since 1970; 2026-01-31[T10:00:00Z] or 24h: so long ago */
    FLAG_LIST,  /* repeatable or with commas: JSON array of strings */
    FLAG_PAIR,  /* repeatable KEY=VALUE: JSON object of strings; VALUE may hold "=" */
    FLAG_UNSET, /* repeatable KEY: null in the object of a FLAG_PAIR of that field */
};

struct flag {
    const char *name; /* without dashes */
    char letter;      /* or 0 */
    enum flag_type type;
    enum place place;
    const char *field;       /* NULL: the name with "_" for "-" */
    const char *placeholder; /* NULL for FLAG_BOOL */
    const char *help;
    const char *choices;  /* words separated by "|", or NULL */
    const char *fallback; /* for --help: what holds when it is not given, or NULL */
    enum names names;
    bool required;
};

/* How a value looks in a table. */
enum cell {
    CELL_TEXT,
    CELL_INT,
    CELL_BYTES,    /* 1.5 GiB */
    CELL_TIME,     /* 2026-01-31 10:00:00 (UTC) */
    CELL_AGE,      /* how long ago a time is: 5m, 3d */
    CELL_UNTIL,    /* how far in the future, or "expired" */
    CELL_DURATION, /* milliseconds: 1.5s, 24h */
    CELL_COUNT,    /* of an array or object */
    CELL_PAIRS,    /* a=1,b=2 */
    CELL_RATE,     /* bytes a second */
    CELL_HOURS,    /* milliseconds as hours with a decimal */
    CELL_MONEY,    /* dollars, as many digits as say something */
};

struct column {
    const char *title; /* "CREATED" */
    const char *path;  /* "limits.agents"; "a|b": the first that is there */
    enum cell cell;
};

enum shape {
    SHAPE_NONE, /* nothing worth showing */
    SHAPE_ONE,  /* an object */
    SHAPE_LIST, /* {"items": [...], "next": ...} */
};

/* What --wait waits for: GET path until it is so. */
struct wait {
    const char *path;  /* NULL: the command has no --wait */
    const char *field; /* NULL: until the answer is 404 */
    const char *value; /* of the field; "a|b": one of them */
    const char *show;  /* fields for the line of progress, separated by spaces */
    const char *what;  /* "the purge of cluster {cluster}" */
    const char *fails; /* values of the field that mean that it never will be so */
};

#define COMMAND_ARGS_MAX    4
#define COMMAND_FLAGS_MAX   14
#define COMMAND_COLUMNS_MAX 16

struct command {
    const char *words;    /* "topic create" */
    const char *summary;  /* one line, no full stop */
    const char *details;  /* paragraphs for --help, or NULL */
    const char *examples; /* a line each: the command line, then "  # why" */
    struct argument args[COMMAND_ARGS_MAX + 1];
    struct flag flags[COMMAND_FLAGS_MAX + 1];
    const char *method; /* NULL: no call of the API that a row can tell */
    const char *path;   /* "/api/v1/clusters/{cluster}/topics" */
    enum shape shape;
    struct column columns[COMMAND_COLUMNS_MAX + 1];
    struct column wide[COMMAND_COLUMNS_MAX + 1]; /* of one thing; empty: as `columns` */
    const char *confirm; /* a question, "{topic}" filled in; asked unless --yes */
    const char *done;    /* a line for standard error when it is done, or NULL */
    struct wait wait;
    bool scoped; /* takes --cluster: its path has {cluster} and no argument has */
    const char *fixed_field, *fixed_value; /* a text that always goes into the body */
    bool body;                   /* send {} when no flag put anything into the body */
    bool versioned;              /* takes --revision */
    int (*run)(struct cli *cli); /* NULL: the call of the row; returns an exit code */
};

struct group {
    const char *words; /* "topic", "cell node" */
    const char *summary;
    const char *details;
};

/* All rows, those of one group together, in the order of --help. Index from 0; NULL at
 * the end. */
const struct command *command_at(size_t i);
const struct group *command_group_at(size_t i);

/* The command whose words these are, or NULL. */
const struct command *command_find(const char *words);
const struct group *command_group_find(const char *words);
/* Is WORDS the beginning (whole words) of a command's? Also for "" and whole commands. */
bool command_is_prefix(const char *words);

/* Flags of every command; name NULL at the end. */
extern const struct flag global_flags[];
/* Flags that rows get by what they are: --all, --limit ... of lists, --yes, --wait,
 * --cluster, --revision. NULL: no such flag. I counts over a command's own, the derived
 * ones and the global ones, in that order. */
const struct flag *command_flag_at(const struct command *command, size_t i);
/* How many of those are the command's own. */
size_t command_own_flags(const struct command *command);
/* Where the global ones begin. */
size_t command_local_flags(const struct command *command);

/* The text between braces filled in is as long as this at most. */
#define COMMAND_TEXT_MAX 2048

#endif
