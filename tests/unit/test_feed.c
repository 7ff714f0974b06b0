/* test_feed.c - rings of events: order, bounds, resets and who is woken when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/defs.h"
#include "common/mem.h"
#include "controlplane/feed.h"

static struct cluster cluster = {.cluster_id = {{1}}}, other = {.cluster_id = {{2}}};
static int dirty, done;

static void on_dirty(void *arg)
{
    (void)arg;
    dirty++;
}

static void on_done(struct feed_watch *watch)
{
    (void)watch;
    done++;
}

static struct feed *make(size_t bytes)
{
    struct feed *feed = feed_new(bytes, on_dirty, NULL);
    feed_attach(feed, 10);
    dirty = done = 0;
    return feed;
}

/* An event of CLUSTER that names NUMBER. */
static void tell(struct feed *feed, const struct cluster *of, uint8_t number)
{
    struct state_events hooks = feed_hooks(feed);
    struct uuid topic = {{number}};
    hooks.on_topic_deleted(hooks.arg, of, &topic);
}

static bool watch(struct feed *feed, struct feed_watch *w, const struct cluster *of,
                  uint64_t after, uint64_t index)
{
    *w = (struct feed_watch){
        .cluster_id = of->cluster_id, .after = after, .done = on_done};
    return feed_watch(feed, w, index);
}

/* The first byte of the topic id in event I. */
static int number_at(const struct feed_watch *w, size_t i)
{
    unsigned number = 0;
    const char *text = (const char *)w->events[i]->data;
    assert_true(i < w->event_count);
    assert_int_equal(strncmp(text, "[\"topic_deleted\",\"", 18), 0);
    assert_int_equal(sscanf(text + 18, "%2x", &number), 1);
    return (int)number;
}

/* Who asks gets what came after its cursor, in order, once. */
static void in_order(void **state)
{
    struct feed *feed = make(MIB);
    struct feed_watch w;
    (void)state;
    tell(feed, &cluster, 1);
    feed_seal(feed, 11);
    tell(feed, &cluster, 2);
    tell(feed, &cluster, 3);
    assert_false(watch(feed, &w, &cluster, 10, 12));
    assert_int_equal(done, 1);
    assert_int_equal(w.event_count, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(number_at(&w, (size_t)i), i + 1);
    assert_int_equal(w.cursor, 12);
    feed_watch_fini(&w);
    assert_false(watch(feed, &w, &cluster, 11, 12));
    assert_int_equal(w.event_count, 2);
    feed_watch_fini(&w);
    assert_true(watch(feed, &w, &cluster, 12, 12));
    assert_true(feed_cancel(feed, &w, 12));
    assert_false(feed_cancel(feed, &w, 12));
    feed_free(feed);
}

/* An event wakes those of its cluster only, and once for all that a tick brought. */
static void wakes(void **state)
{
    struct feed *feed = make(MIB);
    struct feed_watch mine, theirs;
    struct feed_counts counts;
    (void)state;
    assert_true(watch(feed, &mine, &cluster, 10, 10));
    assert_true(watch(feed, &theirs, &other, 10, 10));
    feed_count(feed, &counts);
    assert_int_equal(counts.watchers, 2);
    tell(feed, &cluster, 1);
    tell(feed, &cluster, 2);
    assert_int_equal(dirty, 1);
    assert_int_equal(done, 0);
    feed_deliver(feed, 11);
    assert_int_equal(done, 1);
    assert_int_equal(mine.event_count, 2);
    feed_watch_fini(&mine);
    tell(feed, &other, 3);
    assert_int_equal(dirty, 2);
    feed_deliver(feed, 12);
    assert_int_equal(done, 2);
    assert_int_equal(theirs.event_count, 1);
    feed_watch_fini(&theirs);
    feed_free(feed);
}

/* A cursor below what the ring holds, or above what was applied, resets. */
static void resets(void **state)
{
    struct feed *feed = make(64 * KIB);
    struct feed_watch w;
    struct feed_counts counts;
    (void)state;
    assert_false(watch(feed, &w, &cluster, 9, 10));
    assert_true(w.reset);
    assert_int_equal(w.cursor, 10);
    assert_false(watch(feed, &w, &cluster, 11, 10));
    assert_true(w.reset);
    for (uint64_t index = 11; index < 2011; index++) {
        tell(feed, &cluster, (uint8_t)index);
        feed_seal(feed, index);
    }
    feed_count(feed, &counts);
    assert_true(counts.bytes <= 64 * KIB);
    assert_false(watch(feed, &w, &cluster, 10, 2010));
    assert_true(w.reset);
    assert_false(watch(feed, &w, &cluster, 2000, 2010));
    assert_false(w.reset);
    assert_int_equal(w.event_count, 10);
    assert_int_equal(number_at(&w, 0), 2001 & 255);
    feed_watch_fini(&w);
    feed_free(feed);
}

/* Events that fall out before they were sealed reset whoever has not seen them. */
static void burst_over_the_bound(void **state)
{
    struct feed *feed = make(64 * KIB);
    struct feed_watch w;
    (void)state;
    assert_true(watch(feed, &w, &cluster, 10, 10));
    for (int i = 0; i < 3000; i++)
        tell(feed, &cluster, 7);
    feed_deliver(feed, 11);
    assert_int_equal(done, 1);
    assert_true(w.reset);
    assert_int_equal(w.event_count, 0);
    assert_true(watch(feed, &w, &cluster, 11, 11));
    feed_wake_all(feed, 11);
    assert_int_equal(done, 2);
    assert_false(w.reset);
    feed_free(feed);
}

/* An answer is bounded, but never ends within an index: what follows comes next. */
static void bounded_answers(void **state)
{
    struct feed *feed = make(64 * MIB);
    struct feed_watch w;
    uint64_t cursor = 10, seen = 0, answers = 0;
    (void)state;
    for (uint64_t index = 11; index < 311; index++) {
        for (int i = 0; i < 100; i++)
            tell(feed, &cluster, 1);
        feed_seal(feed, index);
    }
    while (seen < 30000) {
        size_t bytes = 0;
        assert_false(watch(feed, &w, &cluster, cursor, 310));
        for (size_t i = 0; i < w.event_count; i++)
            bytes += w.events[i]->len;
        assert_in_range(bytes, 1, FEED_ANSWER_BYTES + 100 * 100);
        assert_int_equal(w.event_count % 100, 0);
        assert_true(w.cursor > cursor && !w.reset);
        cursor = w.cursor;
        seen += w.event_count;
        answers++;
        feed_watch_fini(&w);
    }
    assert_int_equal(seen, 30000);
    assert_true(answers > 1);
    feed_free(feed);
}

/* Before feed_attach nothing is kept: history begins there. */
static void unattached(void **state)
{
    struct feed *feed = feed_new(MIB, on_dirty, NULL);
    struct feed_watch w;
    (void)state;
    dirty = done = 0;
    tell(feed, &cluster, 1);
    assert_int_equal(dirty, 0);
    feed_attach(feed, 5);
    assert_false(watch(feed, &w, &cluster, 4, 5));
    assert_true(w.reset);
    assert_true(watch(feed, &w, &cluster, 5, 5));
    assert_true(feed_cancel(feed, &w, 5));
    feed_free(feed);
}

/* What admin APIs change is told in the words of control_api.md. */
static void admin_events(void **state)
{
    struct feed *feed = make(MIB);
    struct state_events hooks = feed_hooks(feed);
    struct topic topic = {.topic_id = {{0xaa}}};
    const struct log_start starts[] = {{&topic, 1, 50}, {&topic, 0, 7}};
    struct setting_set set = {.kind = SETTING_GROUP, .name = SLICE_LITERAL("g\"")};
    struct feed_watch w;

    (void)state;
    topic_config_set_put(&set.values, slice_str("k"), slice_str("v"));
    hooks.on_log_starts(hooks.arg, &cluster, starts, 2);
    hooks.on_setting(hooks.arg, &cluster, &set);
    assert_false(watch(feed, &w, &cluster, 10, 11));
    assert_int_equal(w.event_count, 2);
    assert_true(slice_eq_str(blob_slice(w.events[0]),
                             "[\"log_starts\",[[\"aa000000-0000-0000-0000-000000000000\","
                             "1,50],[\"aa000000-0000-0000-0000-000000000000\",0,7]]]"));
    assert_true(slice_eq_str(blob_slice(w.events[1]),
                             "[\"setting\",[32,\"g\\\"\",{\"k\":\"v\"}]]"));
    feed_watch_fini(&w);
    topic_config_set_fini(&set.values);
    feed_free(feed);
}

static int passed_on;

static void on_group_hook(void *arg, const struct cluster *of, const struct group *group)
{
    (void)arg, (void)of, (void)group;
    passed_on++;
}

static void tell_group(struct feed *feed, struct group *group, enum group_kind kind,
                       enum group_state state, int32_t generation)
{
    struct state_events hooks = feed_hooks(feed);
    group->kind = kind;
    group->state = state;
    group->generation = generation;
    hooks.on_group(hooks.arg, &cluster, group);
}

/* A classic group is news when its state or generation is another one, and when it goes;
 * a member that comes is none. Who else wants to hear hears everything. */
static void group_news(void **state)
{
    struct feed *feed = make(MIB);
    struct feed_watch w;
    struct group group = {.group_id = SLICE_LITERAL("a\"b")};
    static const char *const texts[] = {
        "[\"group\",\"a\\\"b\",0,\"PreparingRebalance\"]",
        "[\"group\",\"a\\\"b\",1,\"CompletingRebalance\"]",
        "[\"group\",\"a\\\"b\",1,\"Stable\"]", "[\"group\",\"a\\\"b\",2,\"Stable\"]",
        "[\"group\",\"a\\\"b\",2,\"Dead\"]"};
    (void)state;
    passed_on = 0;
    feed_pass_groups(feed, on_group_hook, NULL);
    tell_group(feed, &group, GROUP_CLASSIC, GROUP_PREPARING, 0);
    tell_group(feed, &group, GROUP_CLASSIC, GROUP_PREPARING, 0);
    tell_group(feed, &group, GROUP_CLASSIC, GROUP_COMPLETING, 1);
    tell_group(feed, &group, GROUP_CLASSIC, GROUP_STABLE, 1);
    tell_group(feed, &group, GROUP_CLASSIC, GROUP_STABLE, 2);
    tell_group(feed, &group, GROUP_CLASSIC, GROUP_DEAD, 2);
    tell_group(feed, &group, GROUP_CLASSIC, GROUP_DEAD, 2);
    assert_int_equal(passed_on, 7);
    assert_false(watch(feed, &w, &cluster, 10, 11));
    assert_int_equal(w.event_count, ARRAY_LEN(texts));
    for (size_t i = 0; i < w.event_count; i++)
        assert_true(slice_eq_str(blob_slice(w.events[i]), texts[i]));
    feed_watch_fini(&w);
    feed_free(feed);
}

/* Of a group of the consumer protocol nobody waits for news; one that was a classic group
 * until now is told of once, since somebody may. */
static void consumer_groups_are_no_news(void **state)
{
    struct feed *feed = make(MIB);
    struct feed_watch w;
    struct group group = {.group_id = SLICE_LITERAL("g")};
    struct group other_group = {.group_id = SLICE_LITERAL("h")};
    (void)state;
    tell_group(feed, &other_group, GROUP_CONSUMER, GROUP_STABLE, 1);
    tell_group(feed, &other_group, GROUP_CONSUMER, GROUP_RECONCILING, 2);
    tell_group(feed, &group, GROUP_CLASSIC, GROUP_STABLE, 1);
    for (int32_t epoch = 2; epoch < 5; epoch++)
        tell_group(feed, &group, GROUP_CONSUMER, GROUP_STABLE, epoch);
    assert_false(watch(feed, &w, &cluster, 10, 11));
    assert_int_equal(w.event_count, 2);
    feed_watch_fini(&w);
    feed_free(feed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_order),
        cmocka_unit_test(wakes),
        cmocka_unit_test(resets),
        cmocka_unit_test(burst_over_the_bound),
        cmocka_unit_test(bounded_answers),
        cmocka_unit_test(unattached),
        cmocka_unit_test(admin_events),
        cmocka_unit_test(group_news),
        cmocka_unit_test(consumer_groups_are_no_news),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
