/* fake_core_send.h - included once by a test's main file: asks go to the fake core.
 *
 * The definition stands in the test, so that the archive's real one is not linked. */
#ifndef TESTS_LIB_FAKE_CORE_SEND_H
#define TESTS_LIB_FAKE_CORE_SEND_H

#include "tests/lib/fake_core.h"

void core_send(struct core *core, struct ask *ask)
{
    fake_core_send(core, ask);
}

#endif
