/* object_command.c - see object_command.h and proto/object.md.
 *
 * ls prints the footer, verify reads every byte and checks every checksum, cat prints
 * the records as JSON lines. This is the one place of Weft that shows payload: its
 * reader asked for it, on his own machine, with his own right to read the store. */
#include "cli/object_command.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/source.h"
#include "common/arena.h"
#include "common/crc32c.h"
#include "common/json.h"
#include "common/str.h"
#include "proto/batch.h"
#include "proto/object.h"

/* The footer's tables of the largest object. */
#define ARENA_MAX (256 * MIB)
/* Plain records of one batch. */
#define PLAIN_MAX (256 * MIB)
#define LINE_MAX  (1024 * MIB)

struct object {
    struct source *source;
    struct arena arena;
    struct object_footer footer;
};

struct filter {
    const char *topic;
    int64_t partition; /* -1: all */
};

static bool selected(const struct filter *filter, const struct object *object,
                     const struct object_run *run)
{
    return (filter->topic == NULL ||
            slice_eq_str(object->footer.topics[run->topic].name, filter->topic)) &&
           (filter->partition < 0 || filter->partition == run->partition);
}

/* Read each selected run and hand it to VISIT, until one fails. */
static int for_each_run(const struct object *object, const struct filter *filter,
                        int (*visit)(const struct object *object,
                                     const struct object_run *run, struct slice bytes,
                                     struct err *err),
                        struct err *err)
{
    for (size_t i = 0; i < object->footer.run_count; i++) {
        const struct object_run *run = &object->footer.runs[i];
        struct slice bytes;
        int rc;
        if (!selected(filter, object, run))
            continue;
        rc = source_read(object->source, run->position, run->length, &bytes, err);
        if (rc == 0)
            rc = visit(object, run, bytes, err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int object_open(struct object *object, const char *where, struct err *err)
{
    struct slice bytes;
    uint64_t position;
    uint32_t length;
    int rc;

    arena_init(&object->arena, ARENA_MAX);
    object->source = NULL;
    if ((rc = source_open(where, &object->source, err)) != 0)
        return rc;
    uint64_t size = source_size(object->source);
    if (size < OBJECT_HEADER_LEN + OBJECT_TRAILER_LEN)
        return err_set(err, ERR_MALFORMED, "%" PRIu64 " bytes are too few for an object",
                       size);
    if ((rc = source_read(object->source, 0, OBJECT_HEADER_LEN, &bytes, err)) != 0 ||
        (rc = object_read_header(bytes, &object->footer.kind, err)) != 0 ||
        (rc = source_read(object->source, size - OBJECT_TRAILER_LEN, OBJECT_TRAILER_LEN,
                          &bytes, err)) != 0 ||
        (rc = object_read_trailer(bytes, size, &position, &length, err)) != 0 ||
        (rc = source_read(object->source, position, length + OBJECT_TRAILER_LEN, &bytes,
                          err)) != 0)
        return rc;
    return object_read_footer(bytes, size, &object->arena, &object->footer, err);
}

static void object_close(struct object *object)
{
    if (object->source != NULL)
        source_close(object->source);
    arena_fini(&object->arena);
}

/* ---- ls ---- */

static int list(struct object *object, const struct filter *filter, struct err *err)
{
    const struct object_footer *footer = &object->footer;
    char object_id[UUID_TEXT_LEN + 1];
    char cluster[UUID_TEXT_LEN + 1];
    char agent[UUID_TEXT_LEN + 1];

    (void)err;
    printf("object %s  cluster %s  agent %s\n", uuid_print(&footer->object_id, object_id),
           uuid_print(&footer->cluster_id, cluster),
           uuid_print(&footer->agent_id, agent));
    printf("%s  created %" PRId64 " ms  %" PRIu64 " bytes  %zu topics  %zu runs\n",
           footer->kind == OBJECT_INTAKE ? "intake" : "final", footer->created_at_ms,
           source_size(object->source), footer->topic_count, footer->run_count);
    printf("%-32s %9s %12s %10s %8s %9s %14s %14s\n", "TOPIC", "PARTITION", "POSITION",
           "BYTES", "BATCHES", "RECORDS", "MIN-TIMESTAMP", "MAX-TIMESTAMP");
    for (size_t i = 0; i < footer->run_count; i++) {
        const struct object_run *run = &footer->runs[i];
        struct slice name = footer->topics[run->topic].name;
        if (selected(filter, object, run))
            printf("%-32.*s %9d %12" PRIu64 " %10" PRIu64 " %8u %9u %14" PRId64
                   " %14" PRId64 "\n",
                   (int)name.len, (const char *)name.ptr, run->partition, run->position,
                   run->length, run->batches, run->records, run->min_timestamp,
                   run->max_timestamp);
    }
    return 0;
}

/* ---- verify ---- */

static int damaged(const struct object *object, const struct object_run *run,
                   const char *what, struct err *err)
{
    struct slice name = object->footer.topics[run->topic].name;

    return err_set(err, ERR_DAMAGED, "%.*s-%d at %" PRIu64 ": %s", (int)name.len,
                   (const char *)name.ptr, run->partition, run->position, what);
}

static int verify_run(const struct object *object, const struct object_run *run,
                      struct slice bytes, struct err *err)
{
    struct batch_iter iter;
    struct batch_info info;
    uint64_t batches = 0;
    uint64_t records = 0;

    if (crc32c(bytes.ptr, bytes.len) != run->crc)
        return damaged(object, run, "the run's checksum is wrong", err);
    batch_iter_init(&iter, bytes);
    while (batch_iter_next(&iter, &info)) {
        if (!batch_check_crc(&info))
            return damaged(object, run, "a batch's checksum is wrong", err);
        batches++;
        records += (uint64_t)info.count;
    }
    if (iter.error != 0)
        return damaged(object, run, "a batch is cut or not a batch", err);
    if (batches != run->batches || records != run->records)
        return damaged(object, run, "the footer counts other batches or records", err);
    return 0;
}

static int verify(struct object *object, const struct filter *filter, struct err *err)
{
    uint64_t runs = 0;
    uint64_t batches = 0;
    uint64_t records = 0;
    uint64_t bytes = 0;
    int rc = for_each_run(object, filter, verify_run, err);

    for (size_t i = 0; rc == 0 && i < object->footer.run_count; i++) {
        const struct object_run *run = &object->footer.runs[i];
        if (!selected(filter, object, run))
            continue;
        runs++;
        batches += run->batches;
        records += run->records;
        bytes += run->length;
    }
    if (rc == 0)
        printf("ok: %" PRIu64 " runs, %" PRIu64 " batches, %" PRIu64 " records, %" PRIu64
               " bytes\n",
               runs, batches, records, bytes);
    return rc;
}

/* ---- cat ---- */

static bool is_utf8(struct slice s)
{
    size_t i = 0;

    while (i < s.len) {
        uint8_t c = s.ptr[i];
        size_t more = c < 0x80                ? 0
                      : c >= 0xc2 && c < 0xe0 ? 1
                      : c >= 0xe0 && c < 0xf0 ? 2
                                              : 3;
        if (c >= 0xf5 || (c >= 0x80 && c < 0xc2) || more > s.len - i - 1)
            return false;
        for (size_t k = 1; k <= more; k++)
            if ((s.ptr[i + k] & 0xc0) != 0x80)
                return false;
        if ((c == 0xe0 && s.ptr[i + 1] < 0xa0) || (c == 0xed && s.ptr[i + 1] > 0x9f) ||
            (c == 0xf0 && s.ptr[i + 1] < 0x90) || (c == 0xf4 && s.ptr[i + 1] > 0x8f))
            return false;
        i += more + 1;
    }
    return true;
}

static struct json *bytes_json(struct slice bytes)
{
    if (bytes.ptr == NULL)
        return json_null();
    if (is_utf8(bytes) && memchr(bytes.ptr, 0, bytes.len) == NULL)
        return json_slice(bytes);
    struct json *wrapped = json_object();
    json_set(wrapped, "base64", json_base64(bytes));
    return wrapped;
}

static void print_record(const struct object *object, const struct object_run *run,
                         const struct record *record, int64_t first_offset)
{
    struct json *line = json_object();
    struct json *headers = json_array();
    struct slice rest = record->headers;
    struct slice key;
    struct slice value;
    struct str text;

    while (record_header_next(&rest, &key, &value)) {
        struct json *pair = json_array();
        json_push(pair, bytes_json(key));
        json_push(pair, bytes_json(value));
        json_push(headers, pair);
    }
    json_set(line, "topic", json_slice(object->footer.topics[run->topic].name));
    json_set(line, "partition", json_int(run->partition));
    json_set(line, "offset", json_int(first_offset + record->offset));
    json_set(line, "timestamp", json_int(record->timestamp_ms));
    json_set(line, "key", bytes_json(record->key));
    json_set(line, "value", bytes_json(record->value));
    json_set(line, "headers", headers);
    str_init(&text, LINE_MAX);
    json_print(line, &text);
    (void)fwrite(text.data, 1, text.len, stdout);
    (void)putchar('\n');
    str_fini(&text);
    json_free(line);
}

static int cat_batch(const struct object *object, const struct object_run *run,
                     const struct batch_info *info, int64_t first_offset, struct err *err)
{
    struct record_iter iter;
    struct record record;
    int rc = record_iter_init(&iter, info, PLAIN_MAX);

    if (rc != 0)
        return damaged(object, run, "a batch does not unpack", err);
    while (record_iter_next(&iter, &record))
        print_record(object, run, &record, first_offset);
    if (iter.error != 0)
        rc = damaged(object, run, "a record is damaged", err);
    record_iter_fini(&iter);
    return rc;
}

static int cat_run(const struct object *object, const struct object_run *run,
                   struct slice bytes, struct err *err)
{
    bool final = object->footer.kind == OBJECT_FINAL;
    struct batch_iter iter;
    struct batch_info info;
    int64_t in_run = 0;

    batch_iter_init(&iter, bytes);
    while (batch_iter_next(&iter, &info)) {
        int rc =
            cat_batch(object, run, &info, final ? 0 : in_run - info.base_offset, err);
        if (rc != 0)
            return rc;
        in_run += info.count;
    }
    return iter.error == 0 ? 0 : damaged(object, run, "a batch is cut", err);
}

static int cat(struct object *object, const struct filter *filter, struct err *err)
{
    return for_each_run(object, filter, cat_run, err);
}

/* ---- the commands ---- */

static int run(struct cli *cli, int (*verb)(struct object *object,
                                            const struct filter *filter, struct err *err))
{
    const char *where = args_value(&cli->args, "file_or_url");
    const char *partition = args_flag(&cli->args, "partition");
    struct filter filter = {args_flag(&cli->args, "topic"), -1};
    struct object object;
    struct err err = {0};

    if (partition != NULL &&
        (args_number(FLAG_INT, partition, 0, &filter.partition) != 0 ||
         filter.partition > INT32_MAX)) {
        cli_error(cli, "%s is no partition", partition);
        return CLI_USAGE;
    }
    int rc = object_open(&object, where, &err);
    if (rc == 0)
        rc = verb(&object, &filter, &err);
    object_close(&object);
    if (rc != 0)
        cli_error(cli, "%s: %s", where, err.text);
    return rc == 0 ? CLI_OK : CLI_FAILED;
}

int object_ls(struct cli *cli)
{
    return run(cli, list);
}

int object_verify(struct cli *cli)
{
    return run(cli, verify);
}

int object_cat(struct cli *cli)
{
    return run(cli, cat);
}
