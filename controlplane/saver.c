/* saver.c - see saver.h. */
#include "controlplane/saver.h"

#include <string.h>

#include "common/clock.h"
#include "common/fault.h"
#include "common/mem.h"

/* More than any state that fits into a machine of today. */
#define DELTA_MAX         ((size_t)1 << 36)
#define CONFIGURATION_MAX (64 * KIB)

static void run(void *arg, struct list *jobs)
{
    struct saver *saver = arg;
    struct list_node *node;

    while ((node = list_pop_front(jobs)) != NULL) {
        struct save_job *job = CONTAINER_OF(node, struct save_job, node);
        int64_t start = clock_monotonic_ms();
        FAULT_POINT("checkpoint-write");
        job->code = db_apply(saver->db, str_slice(&job->delta), &job->err);
        job->took_ms = clock_monotonic_ms() - start;
        FAULT_POINT("checkpoint-written");
        mailbox_send(saver->back, &job->message);
    }
}

int saver_start(struct saver *saver, struct db *db, struct mailbox *back)
{
    memset(saver, 0, sizeof(*saver));
    saver->db = db;
    saver->back = back;
    return worker_start(&saver->worker, "weft-db", run, saver);
}

void saver_submit(struct saver *saver, struct save_job *job)
{
    worker_submit(&saver->worker, &job->node);
}

void saver_stop(struct saver *saver)
{
    worker_stop(&saver->worker);
}

struct save_job *save_job_new(void)
{
    struct save_job *job = mem_zalloc(sizeof(*job));
    str_init(&job->delta, DELTA_MAX);
    str_init(&job->configuration, CONFIGURATION_MAX);
    list_node_init(&job->node);
    return job;
}

void save_job_free(struct save_job *job)
{
    if (job == NULL)
        return;
    str_fini(&job->delta);
    str_fini(&job->configuration);
    mem_free(job);
}
