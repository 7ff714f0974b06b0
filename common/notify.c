/* notify.c - see notify.h. The address is a path, or after "@" a name of the abstract
 * name space, in which the first byte is 0 and the length counts. */
#include "common/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/log.h"

#define STATE_MAX 512

/* The length of the address that PATH names; 0 if it names none. */
static socklen_t parse_address(const char *path, struct sockaddr_un *address)
{
    size_t len = path == NULL ? 0 : strlen(path);

    if (len < 2 || len >= sizeof(address->sun_path) || (path[0] != '/' && path[0] != '@'))
        return 0;
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(address->sun_path, path, len);
    if (path[0] == '@')
        address->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

static void notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address;
    ssize_t sent = -1;

    if (path == NULL)
        return;
    errno = EINVAL;
    socklen_t len = parse_address(path, &address);
    int fd = len == 0 ? -1 : socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        do
            sent = sendto(fd, state, strlen(state), MSG_NOSIGNAL,
                          (const struct sockaddr *)&address, len);
        while (sent < 0 && errno == EINTR);
    }
    if (sent < 0)
        log_warn("notify", "the service manager cannot be told how we are", "errno=%d",
                 errno);
    if (fd >= 0)
        close(fd);
}

void notify_status(const char *text)
{
    char state[STATE_MAX];
    snprintf(state, sizeof(state), "STATUS=%s", text);
    notify(state);
}

void notify_ready(void)
{
    notify("READY=1\nSTATUS=ready");
}

void notify_stopping(int64_t within_ms)
{
    char state[STATE_MAX];
    int len = snprintf(state, sizeof(state), "STOPPING=1\nSTATUS=stopping");
    if (within_ms > 0)
        snprintf(state + len, sizeof(state) - (size_t)len,
                 "\nEXTEND_TIMEOUT_USEC=%" PRId64, within_ms * 1000);
    notify(state);
}
