/* memory_limit.h - how much memory this process may use, by cgroup and machine. */
#ifndef AGENT_MEMORY_LIMIT_H
#define AGENT_MEMORY_LIMIT_H

#include <stdint.h>

/* The least of the machine's memory and the limits of the process's cgroups (v1 or v2)
 * from its own up to the root. ROOT is "" but for tests. */
int64_t memory_limit_bytes(const char *root);

#endif
