/* block.c - blocks out of regions, first fit.
 *
 * A region is 32 MiB of addresses, made of huge pages where the system has them, and cut
 * into units of 16 KiB; a bit for each says whether it is in use. A block is a run of
 * units in the first region, at the lowest place, that has room: so neighbours that are
 * freed make room for any size, what is in use stays together, and what lies free for
 * long is at the end, where whole pages and regions can go.
 *
 * A page of a region is
 *
 *   untouched --first block on it--> in use <--> free since free_at_ms
 *       ^                                            |
 *       +------------------ block_trim --------------+
 *
 * and only an untouched one costs a page fault. A block of more than half a region is
 * memory of its own, as every block is without block_keep. */
#include "common/block.h"

#include <pthread.h>

#include "common/check.h"
#include "common/list.h"
#include "common/mem.h"

#define UNIT         (16 * KIB)
#define PAGE         MEM_HUGE_PAGE
#define REGION_BYTES (32 * MIB)
#define PAGE_UNITS   (PAGE / UNIT)
#define PAGES        (REGION_BYTES / PAGE)
#define UNITS        (REGION_BYTES / UNIT)
#define WORD_BITS    64
/* How long a page lies free before it goes back. */
#define IDLE_MS 5000

struct block_region {
    struct list_node node;
    uint8_t *data;
    size_t used_units;
    size_t room_units;                /* no run of free units is longer than this */
    uint64_t used[UNITS / WORD_BITS]; /* a bit for each unit */
    struct page {
        uint16_t used_units;
        bool touched;
        bool leaving; /* block_trim works on it */
        int64_t free_at_ms;
    } pages[PAGES];
};

static struct {
    pthread_mutex_t lock;
    bool keep;
    struct list regions; /* the oldest first */
    size_t touched_bytes, used_bytes;
    int64_t now_ms; /* of the last trim: exact enough for what is freed now */
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- units of one region; under the lock ---- */

static bool unit_used(const struct block_region *region, size_t unit)
{
    return region->used[unit / WORD_BITS] >> unit % WORD_BITS & 1;
}

/* The first unit from FROM on that is in use (or is not), or UNITS. */
static size_t next_unit(const struct block_region *region, size_t from, bool in_use)
{
    while (from < UNITS) {
        uint64_t word = region->used[from / WORD_BITS];
        word = (in_use ? word : ~word) >> from % WORD_BITS;
        if (word != 0)
            return from + (size_t)__builtin_ctzll(word);
        from = (from / WORD_BITS + 1) * WORD_BITS;
    }
    return UNITS;
}

/* The first run of N free units, or UNITS. */
static size_t find_run(struct block_region *region, size_t n)
{
    size_t longest = 0;
    if (region->room_units < n)
        return UNITS;
    for (size_t at = next_unit(region, 0, false); at < UNITS;) {
        size_t end = next_unit(region, at, true);
        if (end - at >= n)
            return at;
        longest = MAX(longest, end - at);
        at = next_unit(region, end, false);
    }
    region->room_units = longest;
    return UNITS;
}

static void mark_units(struct block_region *region, size_t first, size_t n, bool in_use)
{
    for (size_t i = first; i < first + n; i++) {
        uint64_t bit = (uint64_t)1 << i % WORD_BITS;
        ASSERT(unit_used(region, i) != in_use);
        region->used[i / WORD_BITS] ^= bit;
    }
}

/* The pages that N units from FIRST on lie in gain or lose users. */
static void use_pages(struct block_region *region, size_t first, size_t n, bool in_use)
{
    size_t end = first + n;
    while (first < end) {
        struct page *page = &region->pages[first / PAGE_UNITS];
        size_t here = MIN(end, (first / PAGE_UNITS + 1) * PAGE_UNITS) - first;
        if (in_use) {
            page->used_units = (uint16_t)(page->used_units + here);
            pool.touched_bytes += page->touched ? 0 : PAGE;
            page->touched = true;
        } else {
            page->used_units = (uint16_t)(page->used_units - here);
            page->free_at_ms = pool.now_ms;
        }
        first += here;
    }
}

/* ---- blocks ---- */

/* Memory of its own for BLOCK; false without memory. */
static bool alone(struct block *block, size_t bytes)
{
    size_t size = (bytes + BLOCK_ALIGN - 1) / BLOCK_ALIGN * BLOCK_ALIGN;
    uint8_t *data = mem_try_alloc_aligned(size, BLOCK_ALIGN);
    if (data == NULL)
        return false;
    *block = (struct block){data, size, NULL};
    return true;
}

static struct block_region *region_try_new(void)
{
    uint8_t *data = mem_try_alloc_aligned(REGION_BYTES, PAGE);
    if (data == NULL)
        return NULL;
    struct block_region *region = mem_zalloc(sizeof(*region));
    region->data = data;
    region->room_units = UNITS;
    list_push_back(&pool.regions, &region->node);
    return region;
}

/* N units of the first region that has them; under the lock. */
static bool take(struct block *block, size_t n)
{
    struct block_region *region = NULL;
    size_t at = UNITS;
    LIST_FOREACH(node, next, &pool.regions)
    {
        region = CONTAINER_OF(node, struct block_region, node);
        at = find_run(region, n);
        if (at < UNITS)
            break;
    }
    if (at == UNITS) {
        region = region_try_new();
        if (region == NULL)
            return false;
        at = 0;
    }
    mark_units(region, at, n, true);
    use_pages(region, at, n, true);
    region->used_units += n;
    pool.used_bytes += n * UNIT;
    *block = (struct block){region->data + at * UNIT, n * UNIT, region};
    return true;
}

bool block_try_new(struct block *block, size_t bytes)
{
    if (bytes > SIZE_MAX / 2)
        return false;
    if (!pool.keep || bytes > REGION_BYTES / 2)
        return alone(block, bytes);
    pthread_mutex_lock(&pool.lock);
    bool taken = take(block, MAX((bytes + UNIT - 1) / UNIT, (size_t)1));
    pthread_mutex_unlock(&pool.lock);
    return taken;
}

void block_free(struct block *block)
{
    struct block_region *region = block->region;
    if (region == NULL) {
        mem_free(block->data);
        return;
    }
    size_t first = (size_t)(block->data - region->data) / UNIT;
    size_t n = block->size / UNIT;
    pthread_mutex_lock(&pool.lock);
    mark_units(region, first, n, false);
    use_pages(region, first, n, false);
    region->used_units -= n;
    region->room_units = UNITS; /* to be found out */
    pool.used_bytes -= n * UNIT;
    pthread_mutex_unlock(&pool.lock);
}

void block_keep(void)
{
    list_init(&pool.regions);
    pool.keep = true;
}

size_t block_idle_bytes(void)
{
    pthread_mutex_lock(&pool.lock);
    size_t bytes = pool.touched_bytes - pool.used_bytes;
    pthread_mutex_unlock(&pool.lock);
    return bytes;
}

/* ---- giving back ---- */

/* The pages of REGION that lie free for long get out of reach; how many. */
static size_t begin_leaving(struct block_region *region)
{
    size_t n = 0;
    for (size_t i = 0; i < PAGES; i++) {
        struct page *page = &region->pages[i];
        page->leaving = page->touched && page->used_units == 0 &&
                        pool.now_ms - page->free_at_ms >= IDLE_MS;
        if (!page->leaving)
            continue;
        mark_units(region, i * PAGE_UNITS, PAGE_UNITS, true);
        n++;
    }
    return n;
}

static void end_leaving(struct block_region *region)
{
    for (size_t i = 0; i < PAGES; i++) {
        struct page *page = &region->pages[i];
        if (!page->leaving)
            continue;
        mark_units(region, i * PAGE_UNITS, PAGE_UNITS, false);
        page->leaving = page->touched = false;
        pool.touched_bytes -= PAGE;
    }
    region->room_units = UNITS;
}

static bool is_blank(const struct block_region *region)
{
    bool blank = region->used_units == 0;
    for (size_t i = 0; i < PAGES; i++)
        blank &= !region->pages[i].touched;
    return blank;
}

/* Lets the lock go meanwhile; only block_trim takes regions off the list. */
static void give_back_pages(struct block_region *region)
{
    if (begin_leaving(region) == 0)
        return;
    pthread_mutex_unlock(&pool.lock);
    for (size_t i = 0; i < PAGES; i++)
        if (region->pages[i].leaving)
            mem_discard(region->data + i * PAGE, PAGE);
    pthread_mutex_lock(&pool.lock);
    end_leaving(region);
}

void block_trim(int64_t now_ms)
{
    if (!pool.keep)
        return;
    pthread_mutex_lock(&pool.lock);
    pool.now_ms = now_ms;
    struct list_node *node = pool.regions.head.next;
    while (node != &pool.regions.head) {
        struct block_region *region = CONTAINER_OF(node, struct block_region, node);
        give_back_pages(region);
        node = node->next;
        if (is_blank(region)) {
            list_remove(&region->node);
            mem_free(region->data);
            mem_free(region);
        }
    }
    pthread_mutex_unlock(&pool.lock);
}
