/* node_driver.h - call a struct node from a test's thread, one call at a time. */
#ifndef TESTS_LIB_NODE_DRIVER_H
#define TESTS_LIB_NODE_DRIVER_H

#include "common/str.h"
#include "controlplane/node.h"

/* Propose CMD and wait for its end: returns the code, RESULT gets the bytes. */
int node_call(struct node *node, struct command *cmd, struct str *result);
/* Run FN(node, arg) on the core thread and wait. */
void node_run(struct node *node, void (*fn)(struct node *node, void *arg), void *arg);
/* state_hash() and applied index on the core thread. */
uint64_t node_hash(struct node *node);

/* A new directory under the system's temporary one; and remove it with all in it. */
void temp_dir(char path[64]);
void temp_dir_remove(const char *path);
/* Copy the files of directory FROM to TO (which is emptied first). */
void copy_dir(const char *from, const char *to);

#endif
