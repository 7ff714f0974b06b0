/* test_peer_message.c - what nodes say to each other: read as it was written, refused
 * when it is anything else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "common/err.h"
#include "proto/peer_message.h"

/* Of libraft: format 1, two servers (1 "a:1" voter, 2 "b:1" standby), padded to 8. */
static const char configuration[] = "\x01"
                                    "\x02\0\0\0\0\0\0\0"
                                    "\x01\0\0\0\0\0\0\0"
                                    "a:1\0\x01"
                                    "\x02\0\0\0\0\0\0\0"
                                    "b:1\0\x00"
                                    "\0\0\0\0\0";
#define CONFIGURATION slice_of(configuration, 40)

static struct str bytes;

static int setup(void **state)
{
    (void)state;
    str_init(&bytes, PEER_MESSAGE_MAX);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    str_fini(&bytes);
    return 0;
}

static struct peer_message round_trip(const struct peer_message *msg)
{
    struct peer_message back;
    str_reset(&bytes);
    peer_message_encode(msg, &bytes);
    assert_int_equal(peer_message_decode(str_slice(&bytes), &back), 0);
    assert_int_equal(back.type, msg->type);
    assert_int_equal(back.term, msg->term);
    assert_true(back.clock_ms == msg->clock_ms);
    return back;
}

/* Each cut of what was encoded last is malformed, and so is a byte more. */
static void check_cuts(void)
{
    struct peer_message back;
    for (size_t len = 0; len < bytes.len; len++)
        assert_int_equal(peer_message_decode(slice_of(bytes.data, len), &back),
                         ERR_MALFORMED);
    str_putc(&bytes, 0);
    assert_int_equal(peer_message_decode(str_slice(&bytes), &back), ERR_MALFORMED);
}

/* Votes keep their flags, and the permission of a transfer. */
static void test_votes(void **state)
{
    (void)state;
    struct peer_message msg = {.type = PEER_VOTE,
                               .term = 9,
                               .clock_ms = PEER_NO_CLOCK,
                               .vote = {.last_index = 100,
                                        .last_term = 8,
                                        .transfer_term = 8,
                                        .transfer = 3,
                                        .disrupt = true}};
    struct peer_message back = round_trip(&msg);
    assert_int_equal(back.vote.last_index, 100);
    assert_int_equal(back.vote.last_term, 8);
    assert_int_equal(back.vote.transfer_term, 8);
    assert_int_equal(back.vote.transfer, 3);
    assert_true(back.vote.disrupt && !back.vote.pre_vote);
    check_cuts();
    struct peer_message result = {.type = PEER_VOTE_RESULT,
                                  .term = 9,
                                  .vote_result = {.pre_vote = true, .granted = true}};
    back = round_trip(&result);
    assert_true(back.vote_result.pre_vote && back.vote_result.granted);
    check_cuts();
}

/* An append keeps its entries, empty ones and configurations too. */
static void test_append(void **state)
{
    (void)state;
    struct peer_entry entries[] = {
        {.term = 3, .type = PEER_COMMAND, .data = slice_str("one")},
        {.term = 3, .type = PEER_CHANGE, .data = CONFIGURATION},
        {.term = 4, .type = PEER_BARRIER, .data = SLICE_NULL}};
    struct peer_message msg = {.type = PEER_APPEND,
                               .term = 4,
                               .clock_ms = 123456,
                               .append = {.prev_index = 10,
                                          .prev_term = 2,
                                          .commit_index = 11,
                                          .revoked = 5,
                                          .count = 3,
                                          .entries = entries}};
    struct peer_message back = round_trip(&msg);
    struct reader r;
    assert_int_equal(back.append.prev_index, 10);
    assert_int_equal(back.append.prev_term, 2);
    assert_int_equal(back.append.commit_index, 11);
    assert_int_equal(back.append.revoked, 5);
    assert_int_equal(back.append.count, 3);
    reader_init(&r, back.append.encoded);
    for (int i = 0; i < 3; i++) {
        struct peer_entry entry = peer_entry_next(&r);
        assert_int_equal(entry.term, entries[i].term);
        assert_int_equal(entry.type, entries[i].type);
        assert_true(slice_eq(entry.data, entries[i].data));
    }
    assert_int_equal(reader_left(&r), 0);
    assert_int_equal(bytes.len, PEER_APPEND_BYTES + 3 * PEER_ENTRY_BYTES + 3 + 40);
    check_cuts();
    struct peer_message result = {.type = PEER_APPEND_RESULT,
                                  .term = 4,
                                  .clock_ms = 123456,
                                  .append_result = {.rejected = 7, .last_index = 6}};
    back = round_trip(&result);
    assert_int_equal(back.append_result.rejected, 7);
    assert_int_equal(back.append_result.last_index, 6);
    check_cuts();
}

/* Installs and the end of a transfer. */
static void test_rest(void **state)
{
    (void)state;
    struct peer_message msg = {.type = PEER_INSTALL,
                               .term = 4,
                               .clock_ms = 5,
                               .install = {.last_index = 1000,
                                           .last_term = 3,
                                           .configuration_index = 7,
                                           .configuration = CONFIGURATION}};
    struct peer_message back = round_trip(&msg);
    assert_int_equal(back.install.last_index, 1000);
    assert_int_equal(back.install.last_term, 3);
    assert_int_equal(back.install.configuration_index, 7);
    assert_true(slice_eq(back.install.configuration, CONFIGURATION));
    check_cuts();
    struct peer_message now = {
        .type = PEER_TIMEOUT_NOW,
        .term = 4,
        .timeout_now = {.last_index = 9, .last_term = 4, .transfer = 2}};
    back = round_trip(&now);
    assert_int_equal(back.timeout_now.last_index, 9);
    assert_int_equal(back.timeout_now.last_term, 4);
    assert_int_equal(back.timeout_now.transfer, 2);
    check_cuts();
}

static int encode_and_decode(const struct peer_message *msg)
{
    struct peer_message back;
    str_reset(&bytes);
    peer_message_encode(msg, &bytes);
    return peer_message_decode(str_slice(&bytes), &back);
}

/* Numbers that Raft cannot have are refused before Raft sees them. */
static void test_rules(void **state)
{
    (void)state;
    struct peer_entry entry = {.term = 3, .type = PEER_COMMAND, .data = slice_str("x")};
    struct peer_message good = {
        .type = PEER_APPEND,
        .term = 4,
        .append = {.prev_index = 10, .prev_term = 3, .count = 1, .entries = &entry}};
    struct peer_message msg = good;
    assert_int_equal(encode_and_decode(&msg), 0);
    msg.term = 0;
    assert_int_equal(encode_and_decode(&msg), ERR_MALFORMED);
    msg = good;
    msg.append.prev_index = PEER_INDEX_MAX + 1;
    assert_int_equal(encode_and_decode(&msg), ERR_MALFORMED);
    msg = good;
    msg.append.prev_term = 0; /* of an entry that is there */
    assert_int_equal(encode_and_decode(&msg), ERR_MALFORMED);
    msg = good;
    msg.append.prev_term = 5; /* newer than the leader */
    assert_int_equal(encode_and_decode(&msg), ERR_MALFORMED);
    msg = good;
    entry.term = 2; /* older than the one before */
    assert_int_equal(encode_and_decode(&msg), ERR_MALFORMED);
    entry.term = 5;
    assert_int_equal(encode_and_decode(&msg), ERR_MALFORMED);
    entry.term = 3;
    entry.type = (enum peer_entry_type)4;
    assert_int_equal(encode_and_decode(&msg), ERR_MALFORMED);
    entry.type = PEER_CHANGE; /* and no configuration */
    assert_int_equal(encode_and_decode(&msg), ERR_MALFORMED);
    /* More entries announced than there are bytes. */
    entry.type = PEER_COMMAND;
    assert_int_equal(encode_and_decode(&good), 0);
    bytes.data[PEER_APPEND_BYTES - 3] = 1;
    assert_int_equal(peer_message_decode(str_slice(&bytes), &msg), ERR_MALFORMED);
    /* Another version, another type. */
    assert_int_equal(encode_and_decode(&good), 0);
    bytes.data[0] = 2;
    assert_int_equal(peer_message_decode(str_slice(&bytes), &msg), ERR_UNSUPPORTED);
    bytes.data[0] = 1;
    bytes.data[1] = 7;
    assert_int_equal(peer_message_decode(str_slice(&bytes), &msg), ERR_MALFORMED);
    assert_string_equal(peer_message_name((enum peer_message_type)7), "unknown");
    assert_string_equal(peer_message_name(PEER_APPEND), "append");
}

/* libraft reads a configuration as if it could not be wrong: so it is checked before. */
static void test_configurations(void **state)
{
    (void)state;
    char copy[sizeof(configuration)];
    assert_true(peer_configuration_valid(CONFIGURATION));
    assert_false(peer_configuration_valid(SLICE_NULL));
    for (size_t len = 0; len < 35; len++)
        assert_false(peer_configuration_valid(slice_of(configuration, len)));
    /* Each of these bytes at AT makes it wrong. */
    static const struct {
        size_t at;
        char byte;
    } wrong[] = {
        {0, 2},    /* format */
        {1, 0},    /* no servers */
        {1, 17},   /* too many */
        {8, 1},    /* far too many */
        {9, 0},    /* id 0 */
        {9, 2},    /* the same id twice */
        {30, 'a'}, /* the same address twice */
        {21, 3},   /* no such role */
        {21, 0},   /* no voter */
        {20, 'x'}, /* an address that runs into the next server */
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        memcpy(copy, configuration, sizeof(copy));
        copy[wrong[i].at] = wrong[i].byte;
        assert_false(peer_configuration_valid(slice_of(copy, 40)));
    }
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
    const struct CMUnitTest tests[] = {TEST(test_votes), TEST(test_append),
                                       TEST(test_rest), TEST(test_rules),
                                       TEST(test_configurations)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
