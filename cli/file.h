/* file.h - whole files for the command line: read, and replace so that a crash leaves the
 * old or the new one. */
#ifndef CLI_FILE_H
#define CLI_FILE_H

#include "common/defs.h"
#include "common/err.h"
#include "common/slice.h"
#include "common/str.h"

/* Append all of PATH to TEXT, "-" is standard input; ERR_TOO_LARGE over TEXT's maximum.
 */
int file_read(const char *path, struct str *text, struct err *err) MUST_CHECK;
/* Write BYTES to PATH, mode 0600: over a temporary file beside it, synced. */
int file_replace(const char *path, struct slice bytes, struct err *err) MUST_CHECK;

/* A temporary file beside PATH, mode 0600, that a signal that ends the process removes
 * (one at a time). NAME has room for strlen(PATH) + FILE_TEMPORARY_LEN. */
#define FILE_TEMPORARY_LEN 16
int file_temporary(const char *path, char *name, int *fd, struct err *err) MUST_CHECK;
/* Sync FD and give NAME, made by file_temporary, the name PATH. Closes FD. */
int file_keep(const char *name, int fd, const char *path, struct err *err) MUST_CHECK;
/* Close FD and remove NAME. */
void file_drop(const char *name, int fd);
/* Write all of BYTES. */
int file_write(int fd, struct slice bytes, struct err *err) MUST_CHECK;

#endif
