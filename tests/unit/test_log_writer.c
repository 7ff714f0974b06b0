/* test_log_writer.c - the log's thread after a failure that the log itself survives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/mem.h"
#include "controlplane/log_writer.h"
#include "tests/lib/node_driver.h"

static int fallocate_error;

static int test_fallocate(int fd, off_t at, off_t len)
{
    (void)fd, (void)at, (void)len;
    return fallocate_error;
}

static const struct wal_ops ops = {pwritev, fdatasync, test_fallocate};

static struct {
    int codes[8], notices[8]; /* of jobs and of notices, in order */
    size_t code_count, notice_count;
} back;

static void on_back(struct message *message, void *arg)
{
    struct log_job *job = CONTAINER_OF(message, struct log_job, message);
    (void)arg;
    if (job->kind == LOG_NOTICE)
        back.notices[back.notice_count++] = job->code;
    else
        back.codes[back.code_count++] = job->code;
    log_job_free(job);
}

static struct log_job *make_job(enum log_job_kind kind, uint64_t index)
{
    static const uint8_t data[3000];
    struct log_job *job = mem_zalloc(sizeof(*job));
    job->kind = kind;
    job->index = index;
    if (kind != LOG_APPEND)
        return job;
    job->entries = mem_zalloc(sizeof(*job->entries));
    job->entries[0] = (struct wal_entry){
        .index = index, .term = 1, .type = 1, .data = slice_of(data, sizeof(data))};
    job->count = 1;
    return job;
}

/* After an append has failed nothing is written any more: the next would leave a hole,
 * and a job that needs no writing would say that the log can be written again. */
static void test_failed_for_good(void **state)
{
    char dir[64];
    struct mailbox mailbox;
    struct log_writer writer;
    struct wal *wal;
    struct err err;
    (void)state;

    temp_dir(dir);
    struct loop *loop = loop_new();
    mailbox_init(&mailbox, loop, on_back, NULL);
    struct wal_options options = {.dir = dir, .segment_bytes = 4096, .ops = &ops};
    assert_int_equal(wal_open(&options, &wal, &err), 0);
    assert_int_equal(log_writer_start(&writer, wal, &mailbox), 0);
    log_writer_submit(&writer, make_job(LOG_APPEND, 1));
    while (back.code_count < 1)
        loop_run_once(loop, 1000);
    assert_int_equal(back.codes[0], 0);
    fallocate_error = EIO; /* the next wants a segment of its own */
    log_writer_submit(&writer, make_job(LOG_APPEND, 2));
    while (back.code_count < 2)
        loop_run_once(loop, 1000);
    assert_int_equal(back.codes[1], ERR_IO);
    fallocate_error = 0;
    log_writer_submit(&writer, make_job(LOG_TRIM, 0));
    log_writer_submit(&writer, make_job(LOG_APPEND, 2));
    while (back.code_count < 4)
        loop_run_once(loop, 1000);
    assert_int_equal(back.codes[2], ERR_IO);
    assert_int_equal(back.codes[3], ERR_IO);
    assert_int_equal(back.notice_count, 1);
    assert_int_equal(back.notices[0], ERR_IO);
    log_writer_stop(&writer);
    (void)mailbox_drain(&mailbox);
    mailbox_fini(&mailbox);
    loop_free(loop);
    temp_dir_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_failed_for_good)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
