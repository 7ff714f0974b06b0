/* names.h - names and other texts in the bodies of people's calls. */
#ifndef CONTROLPLANE_NAMES_H
#define CONTROLPLANE_NAMES_H

#include "controlplane/call.h"

#define NAME_MAX_LEN  100
#define EMAIL_MAX_LEN 254

/* 1 to NAME_MAX_LEN letters, digits, dots, underscores, hyphens. */
bool name_is_plain(struct slice name);
/* 1 to NAME_MAX_LEN printable ASCII characters, not only spaces. */
bool name_is_label(struct slice name);
/* The member KEY of the body, which must be there and pass IS_OK; fails the call else. */
struct slice name_read(struct call *call, const char *key, bool (*is_ok)(struct slice));
/* ... which may be left out (null slice). */
struct slice name_find(struct call *call, const char *key, bool (*is_ok)(struct slice));
/* Printable ASCII without spaces, or empty; null slice when left out. */
struct slice email_find(struct call *call);
/* "operator", "admin", "viewer"; ROLE_NONE when left out. */
enum role role_find(struct call *call);

#endif
