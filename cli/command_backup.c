/* command_backup.c - rows: backups of a cell. */
#include "cli/backup.h"
#include "cli/rows.h"

#define BACKUP_COLUMNS                                                                   \
    {                                                                                    \
        {"TAKEN (UTC)", "taken_at_ms", CELL_TIME}, {"AGE", "taken_at_ms", CELL_AGE},     \
            {"INDEX", "applied_index", CELL_INT}, {"SIZE", "size_bytes", CELL_BYTES},    \
            {"PLACE", "place", CELL_TEXT},                                               \
        {                                                                                \
            "ID", "id", CELL_TEXT                                                        \
        }                                                                                \
    }
#define BACKUP_WIDE                                                                      \
    {                                                                                    \
        {"TAKEN (UTC)", "taken_at_ms", CELL_TIME}, {"ID", "id", CELL_TEXT},              \
            {"APPLIED INDEX", "applied_index", CELL_INT},                                \
            {"SIZE", "size_bytes", CELL_BYTES}, {"SHA-256", "sha256", CELL_TEXT},        \
            {"PLACE", "place", CELL_TEXT},                                               \
        {                                                                                \
            "RECORDED", "recorded_at_ms", CELL_TIME                                      \
        }                                                                                \
    }

const struct command backup_rows[] = {
    {
        .words = "backup create",
        .summary = "Take a backup of the cell now, into a file or an object store",
        .details =
            "The backup is of one moment, taken while the cell works on. It is checked "
            "when "
            "it is here and takes its name only then, so that what has the name is "
            "whole. "
            "`weft-controlplane --restore FILE` founds a new cell from it. The CA's key "
            "and "
            "other secrets in it are sealed: to restore one needs the cell's key too.\n"
            "s3:// takes credentials as weft-agent does: environment, then metadata "
            "services; the object must not be there yet.",
        .examples =
            "weft backup create cell-2026-01-31.weft\n"
            "weft backup create 's3://backups/weft/2026-01-31?region=eu-central-1'",
        .args = {{.name = "file_or_url",
                  .help =
                      "a path, file:///path or s3://bucket/key?region=...&endpoint=...",
                  .names = NAMES_FILE}},
        .flags = {{.name = "force",
                   .letter = 'f',
                   .type = FLAG_BOOL,
                   .help = "replace a file that is there"},
                  {.name = "no-record",
                   .type = FLAG_BOOL,
                   .help = "do not note it in the cell's list of backups"}},
        .run = backup_create,
    },
    {
        .words = "backup verify",
        .summary = "Read a backup and check every checksum of it",
        .examples =
            "weft backup verify cell-2026-01-31.weft\n"
            "weft backup verify 's3://backups/weft/2026-01-31?region=eu-central-1' "
            "-o json",
        .args = {{.name = "file_or_url",
                  .help =
                      "a path, file:///path or s3://bucket/key?region=...&endpoint=...",
                  .names = NAMES_FILE}},
        .run = backup_verify,
    },
    {
        .words = "backup fetch",
        .summary = "Copy a backup into a file, and check every checksum of it",
        .details = "For `weft-controlplane --restore FILE`. What has the name is whole.",
        .examples =
            "weft backup fetch 's3://backups/weft/2026-01-31?region=eu-central-1' "
            "/root/backup.weft",
        .args = {{.name = "file_or_url",
                  .help =
                      "a path, file:///path or s3://bucket/key?region=...&endpoint=...",
                  .names = NAMES_FILE},
                 {.name = "file", .help = "where to", .names = NAMES_FILE}},
        .flags = {{.name = "force",
                   .letter = 'f',
                   .type = FLAG_BOOL,
                   .help = "replace a file that is there"}},
        .run = backup_fetch,
    },
    {
        .words = "backup list",
        .summary = "List the backups that the cell knows of, latest first",
        .examples = "weft backup list",
        .method = "GET",
        .path = "/api/v1/backups",
        .shape = SHAPE_LIST,
        .columns = BACKUP_COLUMNS,
    },
    {
        .words = "backup show",
        .summary = "Show a backup of the list",
        .examples = "weft backup show 5b1c9e02",
        .args = {{.name = "backup",
                  .help = "its id, or the beginning of it",
                  .place = PLACE_PATH,
                  .names = NAMES_BACKUP}},
        .method = "GET",
        .path = "/api/v1/backups/{backup}",
        .shape = SHAPE_ONE,
        .columns = BACKUP_COLUMNS,
        .wide = BACKUP_WIDE,
    },
    {
        .words = "backup record",
        .summary = "Check a backup that is somewhere else and note it in the cell's list",
        .details = "`weft backup create` does so by itself, as scheduled backups do.",
        .examples = "weft backup record /mnt/archive/cell-2026-01-31.weft",
        .args = {{.name = "file_or_url",
                  .help =
                      "a path, file:///path or s3://bucket/key?region=...&endpoint=...",
                  .names = NAMES_FILE}},
        .method = "POST",
        .path = "/api/v1/backups",
        .shape = SHAPE_ONE,
        .columns = BACKUP_COLUMNS,
        .wide = BACKUP_WIDE,
        .run = backup_record,
    },
    {.words = NULL},
};
