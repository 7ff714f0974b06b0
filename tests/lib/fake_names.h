/* fake_names.h - name servers as a test wants them: in a program that uses this,
 * getaddrinfo() is ours, also for libcurl. Names that were not set are the C library's.
 */
#ifndef TESTS_LIB_FAKE_NAMES_H
#define TESTS_LIB_FAKE_NAMES_H

enum fake_name {
    FAKE_NAME_LOOPBACK,  /* 127.0.0.1 */
    FAKE_NAME_ELSEWHERE, /* 127.1.2.3, where nobody listens */
    FAKE_NAME_UNKNOWN,   /* there is no such name */
    FAKE_NAME_HANGS,     /* no answer until it is set otherwise, or FAKE_NAME_GIVE_UP_S */
};

#define FAKE_NAME_GIVE_UP_S 20

/* From now on NAME is that; who hangs at it goes on. */
void fake_name_set(const char *name, enum fake_name is);
/* How many hang now; how often names that were set were asked for. */
int fake_names_hanging(void);
int fake_names_asked(void);

#endif
