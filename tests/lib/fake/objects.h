/* objects.h - an object store in memory that answers when the test says so, behind
 * store_send and store_cancel themselves: for those who call them directly.
 *
 * Included as objects.c, once, by a test's main file, so that the archive's real store is
 * not linked. GET only; everything on the test's thread. */
#ifndef TESTS_LIB_FAKE_OBJECTS_H
#define TESTS_LIB_FAKE_OBJECTS_H

#include <stddef.h>
#include <stdint.h>

#include "common/store.h"
#include "common/uuid.h"

#define FAKE_OBJECTS_MAX 64

struct fake_objects {
    struct fake_object {
        char key[513];
        const uint8_t *bytes; /* the test's */
        size_t len;
    } objects[FAKE_OBJECTS_MAX];
    size_t count;
    struct store_request *open[FAKE_OBJECTS_MAX]; /* in order of arrival */
    size_t open_count;
    size_t gets; /* so far */
};

extern struct fake_objects fake_objects;

void fake_objects_reset(void);
void fake_objects_add(const struct uuid *cluster_id, const struct uuid *object_id,
                      const uint8_t *bytes, size_t len);
/* Answer the oldest request with CODE: 0 for what it asks for. */
void fake_objects_answer(int code);
void fake_objects_answer_all(void);

#endif
