/* objects.c - see objects.h. */
#include "tests/lib/fake/objects.h"

#include <string.h>

#include "common/check.h"
#include "proto/object.h"

struct fake_objects fake_objects;

void fake_objects_reset(void)
{
    ASSERT(fake_objects.open_count == 0);
    memset(&fake_objects, 0, sizeof(fake_objects));
}

void fake_objects_add(const struct uuid *cluster_id, const struct uuid *object_id,
                      const uint8_t *bytes, size_t len)
{
    ASSERT(fake_objects.count < FAKE_OBJECTS_MAX);
    struct fake_object *object = &fake_objects.objects[fake_objects.count++];
    object_key(cluster_id, object_id, object->key);
    object->bytes = bytes;
    object->len = len;
}

void store_send(struct store *store, struct store_request *request)
{
    (void)store;
    ASSERT(request->kind == STORE_GET && fake_objects.open_count < FAKE_OBJECTS_MAX);
    fake_objects.open[fake_objects.open_count++] = request;
    fake_objects.gets++;
}

/* Take the I-th open request out. */
static struct store_request *take(size_t i)
{
    struct store_request *request = fake_objects.open[i];
    fake_objects.open_count--;
    memmove(&fake_objects.open[i], &fake_objects.open[i + 1],
            (fake_objects.open_count - i) * sizeof(fake_objects.open[0]));
    return request;
}

static int find(struct store_request *request)
{
    for (size_t i = 0; i < fake_objects.count; i++) {
        const struct fake_object *object = &fake_objects.objects[i];
        if (strcmp(object->key, request->key) != 0)
            continue;
        if (request->offset >= object->len)
            return ERR_INVALID;
        size_t len = MIN((size_t)request->length, object->len - request->offset);
        request->blob = blob_new(len, NULL);
        memcpy(request->blob->data, object->bytes + request->offset, len);
        return 0;
    }
    return ERR_NOT_FOUND;
}

void fake_objects_answer(int code)
{
    ASSERT(fake_objects.open_count > 0);
    struct store_request *request = take(0);
    if (code == 0)
        code = find(request);
    request->err.code = 0;
    if (code != 0)
        err_set(&request->err, code, "the fake objects say no");
    request->done(request);
}

void fake_objects_answer_all(void)
{
    while (fake_objects.open_count > 0)
        fake_objects_answer(0);
}

/* The answer comes later, as from the real store. */
void store_cancel(struct store *store, struct store_request *request)
{
    (void)store;
    for (size_t i = 0; i < fake_objects.open_count; i++) {
        if (fake_objects.open[i] == request) {
            (void)take(i);
            memmove(&fake_objects.open[1], &fake_objects.open[0],
                    fake_objects.open_count * sizeof(fake_objects.open[0]));
            fake_objects.open[0] = request;
            fake_objects.open_count++;
        }
    }
}
