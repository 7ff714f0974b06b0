/* store_dir.h - the file:// kind of store: objects are files below one directory.
 *
 * Reached through store_open("file:///DIRECTORY") only; the directory must exist. It may
 * be shared by any number of processes. An object is a file of the key's name; it is
 * complete from the moment it has that name, and durable before `done`. Other names that
 * lie around (temporary files of a process that was killed) are never listed: they hold a
 * character that no key has. After a day a LIST that meets one removes it. */
#ifndef COMMON_STORE_DIR_H
#define COMMON_STORE_DIR_H

#include "common/store_ops.h"

/* Begins the name of every temporary file. */
#define STORE_DIR_TEMP_MARK '~'

/* LIST: fill in the keys below ROOT_FD (store_dir_list.c). */
int store_dir_list(int root_fd, struct store_request *request,
                   struct err *err) MUST_CHECK;

#endif
