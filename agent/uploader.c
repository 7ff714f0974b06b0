/* uploader.c - one PUT an object, a second one when the first is late. */
#include "agent/uploader.h"

#include <stdio.h>
#include <string.h>

#include "agent/metrics.h"
#include "common/check.h"
#include "common/fault.h"
#include "common/mem.h"

/* The least time after which a PUT counts as late, and what p99 is multiplied by. */
#define HEDGE_LEAST_MS 1000
#define HEDGE_FACTOR   3
/* With fewer samples than this p99 means nothing: the first PUTs bear cold connections.
 */
#define HEDGE_SAMPLES_LEAST 20
/* A store that is slow as a whole must not get twice the load: of N uploads at most
 * N / HEDGE_SHARE + 1 are hedged at a time. */
#define HEDGE_SHARE 4

struct upload {
    struct list_node node; /* in uploader->uploads while there is no outcome */
    struct intake *intake;
    int64_t started_at_ms, deadline_at_ms;
    unsigned tries;     /* begun: 1 or 2 */
    unsigned tries_out; /* not returned by the store */
    struct err err;     /* of the try that failed last */
    struct upload_try {
        struct store_request request;
        struct upload *upload;
        struct uuid object_id;
        uint64_t object_size;
        int64_t started_at_ms;
        uint8_t header[OBJECT_HEADER_LEN];
        struct str footer;
        struct slice *pieces;
        bool out; /* the store has it */
    } try[2];
};

void uploader_init(struct uploader *uploader, const struct uploader_options *options,
                   const struct uploader_io *io)
{
    *uploader = (struct uploader){.options = *options, .io = *io};
    list_init(&uploader->uploads);
}

void uploader_fini(struct uploader *uploader)
{
    ASSERT(uploader_idle(uploader));
}

bool uploader_has_room(const struct uploader *uploader)
{
    return uploader->upload_count < uploader->options.max_uploads;
}

bool uploader_idle(const struct uploader *uploader)
{
    return uploader->try_count == 0;
}

/* ---- what is late ---- */

int64_t uploader_hedge_after_ms(const struct uploader *uploader)
{
    if (uploader->options.hedge_after_ms > 0)
        return uploader->options.hedge_after_ms;
    if (uploader->sample_count < HEDGE_SAMPLES_LEAST)
        return HEDGE_LEAST_MS * HEDGE_FACTOR;
    /* The second greatest of 128 is the 99th percentile, near enough. */
    size_t n = MIN(uploader->sample_count, UPLOADER_SAMPLES);
    int64_t greatest = 0, second = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t v = uploader->samples_ms[i];
        if (v > greatest) {
            second = greatest;
            greatest = v;
        } else if (v > second) {
            second = v;
        }
    }
    return MAX(second * HEDGE_FACTOR, HEDGE_LEAST_MS);
}

static bool may_hedge(const struct uploader *uploader)
{
    return uploader->hedge_count < uploader->upload_count / HEDGE_SHARE + 1;
}

static struct upload *first_unhedged(const struct uploader *uploader)
{
    LIST_FOREACH(node, next, &uploader->uploads)
    {
        struct upload *upload = CONTAINER_OF(node, struct upload, node);
        if (upload->tries == 1)
            return upload;
    }
    return NULL;
}

/* The oldest is the first to be late. */
int64_t uploader_due_at_ms(const struct uploader *uploader)
{
    const struct upload *upload = may_hedge(uploader) ? first_unhedged(uploader) : NULL;
    return upload == NULL ? INT64_MAX
                          : upload->started_at_ms + uploader_hedge_after_ms(uploader);
}

/* ---- tries ---- */

static void begin_try(struct uploader *uploader, struct upload *upload, int64_t now)
{
    struct upload_try *try = &upload->try[upload->tries++];
    const struct intake *intake = upload->intake;

    try->upload = upload;
    try->started_at_ms = now;
    try->out = true;
    try->object_id = uploader->io.make_id(uploader->io.arg);
    str_init(&try->footer, OBJECT_FOOTER_MAX);
    try->pieces = mem_alloc(intake_piece_count(intake) * sizeof(try->pieces[0]));
    try->request = (struct store_request){
        .kind = STORE_PUT,
        .pieces = try->pieces,
        .piece_count = intake_piece_count(intake),
        .deadline_at_ms = upload->deadline_at_ms,
        .arg = try,
    };
    intake_layout(intake, &try->object_id, try->header, &try->footer, try->pieces,
                  &try->request.crc, &try->object_size);
    object_key(&intake->footer.cluster_id, &try->object_id, try->request.key);
    upload->tries_out++;
    uploader->try_count++;
    metric_add(agent_metric(put_total), 1);
    FAULT_POINT("agent.put.before");
    uploader->io.put(&try->request, uploader->io.arg);
}

void uploader_start(struct uploader *uploader, struct intake *intake, int64_t now)
{
    ASSERT(intake->state == INTAKE_SEALED);
    struct upload *upload = mem_zalloc(sizeof(*upload));
    upload->intake = intake_ref(intake);
    upload->started_at_ms = now;
    upload->deadline_at_ms = now + uploader->options.upload_timeout_ms;
    intake->state = INTAKE_UPLOADING;
    metric_observe(agent_metric(object_upload_wait_seconds),
                   (now - intake->moved_at_ms) * 1000);
    list_push_back(&uploader->uploads, &upload->node);
    uploader->upload_count++;
    begin_try(uploader, upload, now);
}

void uploader_step(struct uploader *uploader, int64_t now)
{
    while (uploader_due_at_ms(uploader) <= now) {
        struct upload *upload = first_unhedged(uploader);
        uploader->hedge_count++;
        metric_add(agent_metric(put_hedges_total), 1);
        FAULT_POINT("agent.hedge.before");
        begin_try(uploader, upload, now);
    }
}

/* ---- outcomes ---- */

/* The upload has its outcome: the object goes on its way without us. */
static void settle(struct uploader *uploader, struct upload *upload)
{
    list_remove(&upload->node);
    uploader->upload_count--;
    if (upload->tries == 2)
        uploader->hedge_count--;
}

static void on_success(struct uploader *uploader, struct upload *upload,
                       struct upload_try *try, int64_t now)
{
    struct intake *intake = upload->intake;

    uploader->samples_ms[uploader->sample_count++ % UPLOADER_SAMPLES] =
        now - try->started_at_ms;
    metric_observe(agent_metric(put_seconds), (now - try->started_at_ms) * 1000);
    if (try == &upload->try[1])
        metric_add(agent_metric(put_hedges_won_total), 1);
    settle(uploader, upload);
    for (unsigned i = 0; i < upload->tries; i++) {
        if (upload->try[i].out)
            uploader->io.cancel(&upload->try[i].request, uploader->io.arg);
    }
    intake->object_id = try->object_id;
    intake->object_size = try->object_size;
    intake->state = INTAKE_UPLOADED;
    intake->moved_at_ms = now;
    FAULT_POINT("agent.put.after");
    uploader->io.on_uploaded(intake, now, uploader->io.arg);
}

static void on_failure(struct uploader *uploader, struct upload *upload, int64_t now)
{
    if (upload->tries_out > 0)
        return; /* the other try may bring it home */
    settle(uploader, upload);
    metric_add(agent_metric(put_failed_total), 1);
    uploader->io.on_failed(upload->intake, &upload->err, now, uploader->io.arg);
}

void uploader_on_put(struct uploader *uploader, struct store_request *request,
                     int64_t now)
{
    struct upload_try *try = request->arg;
    struct upload *upload = try->upload;

    ASSERT(try->out);
    try->out = false;
    upload->tries_out--;
    uploader->try_count--;
    if (request->attempts > 1)
        metric_add(agent_metric(put_retries_total), request->attempts - 1);
    if (list_linked(&upload->node)) { /* no outcome yet */
        if (request->err.code == 0) {
            on_success(uploader, upload, try, now);
        } else {
            upload->err = request->err;
            on_failure(uploader, upload, now);
        }
    }
    if (upload->tries_out > 0)
        return;
    for (unsigned i = 0; i < upload->tries; i++) {
        str_fini(&upload->try[i].footer);
        mem_free(upload->try[i].pieces);
    }
    intake_unref(upload->intake);
    mem_free(upload);
}

void uploader_cancel_all(struct uploader *uploader)
{
    LIST_FOREACH(node, next, &uploader->uploads)
    {
        struct upload *upload = CONTAINER_OF(node, struct upload, node);
        for (unsigned i = 0; i < upload->tries; i++) {
            if (upload->try[i].out)
                uploader->io.cancel(&upload->try[i].request, uploader->io.arg);
        }
    }
}
