/* command_object.c - rows: looking into objects of the store. */
#include "cli/object_command.h"
#include "cli/rows.h"

#define OBJECT_ARG                                                                       \
    {                                                                                    \
        .name = "file_or_url",                                                           \
        .help = "a path, file:///path or s3://bucket/key?region=...&endpoint=...",       \
        .names = NAMES_FILE                                                              \
    }
#define FILTER_FLAGS                                                                     \
    {.name = "topic",                                                                    \
     .type = FLAG_TEXT,                                                                  \
     .placeholder = "NAME",                                                              \
     .help = "only runs of this topic"},                                                 \
    {                                                                                    \
        .name = "partition", .type = FLAG_INT, .placeholder = "N",                       \
        .help = "only runs of this partition"                                            \
    }
#define WHERE                                                                            \
    "Credentials for s3:// are taken as by weft-agent: environment, then metadata "      \
    "services. No control plane is needed."

const struct command object_rows[] = {
    {
        .words = "object ls",
        .summary = "List what an object holds: a line for each run",
        .details = WHERE,
        .examples = "weft object ls /var/lib/store/5b1c.../o/3f/3f0e...",
        .args = {OBJECT_ARG},
        .flags = {FILTER_FLAGS},
        .run = object_ls,
    },
    {
        .words = "object verify",
        .summary = "Read all of an object and check every checksum and count",
        .details = WHERE,
        .examples =
            "weft object verify 's3://bucket/5b1c.../o/3f/3f0e...?region=eu-central-1'",
        .args = {OBJECT_ARG},
        .flags = {FILTER_FLAGS},
        .run = object_verify,
    },
    {
        .words = "object cat",
        .summary = "Print the records of an object, a line of JSON each",
        .details = "Bytes that are not UTF-8 text appear as {\"base64\": ...}; "
                   "\"offset\" is the "
                   "offset within the run, unless the object holds final offsets. " WHERE,
        .examples =
            "weft object cat 's3://bucket/5b1c.../o/3f/3f0e...?region=eu-central-1' "
            "--topic orders",
        .args = {OBJECT_ARG},
        .flags = {FILTER_FLAGS},
        .run = object_cat,
    },
    {.words = NULL},
};
