/* main.c - weft-controlplane: options, start, wait for a signal, stop in order. */
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/notify.h"
#include "common/stop_signal.h"
#include "common/version.h"
#include "controlplane/options.h"
#include "controlplane/service.h"

#define TEND_EVERY_S 1

/* Sockets are files: take as many as we may have. */
static void raise_file_limit(int64_t want)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        (int64_t)limit.rlim_cur < want)
        log_warn("main", "the limit of open files is below what the listeners may need",
                 "limit=%llu want=%lld", (unsigned long long)limit.rlim_cur,
                 (long long)want);
}

static void log_start(const struct control_options *options,
                      const struct service *service)
{
    struct str text;
    str_init(&text, 64 * KIB);
    option_dump(&control_program, options, &text);
    log_info("main", "options", "%s", str_cstr(&text));
    str_fini(&text);
    char cell[UUID_TEXT_LEN + 1], fingerprint[X509_FINGERPRINT_LEN + 1];
    trust_fingerprint(service->trust, fingerprint);
    log_info("main", "started",
             "version=%s cell=%s node=%llu people=%s agents=%s peers=%s "
             "ca_fingerprint=%s",
             WEFT_VERSION, uuid_print(&service->cell.identity.cell_id, cell),
             (unsigned long long)service->cell.identity.node_id, service->people_url,
             service->agents_url, service->addresses.peers, fingerprint);
}

/* Until SIGTERM or SIGINT; now and then there is something to tend. */
static int wait_for_signal(struct service *service, const sigset_t *signals)
{
    for (;;) {
        struct timespec patience = {.tv_sec = TEND_EVERY_S};
        int signum = sigtimedwait(signals, NULL, &patience);
        if (signum > 0)
            return signum;
        service_tend(service, clock_wall_ms(), clock_monotonic_ms());
    }
}

static int run(const struct control_options *options)
{
    struct service *service;
    struct err err = {0};
    enum log_level level;
    enum log_format format;
    sigset_t signals;
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    if (log_parse_level(options->log_level, &level) != 0) {
        fprintf(stderr, "weft-controlplane: --log-level is debug, info, warn or error\n");
        return 2;
    }
    if (log_parse_format(options->log_format, &format) != 0) {
        fprintf(stderr, "weft-controlplane: --log-format is logfmt or json\n");
        return 2;
    }
    log_set_level(level);
    log_set_format(format);
    sigaction(SIGPIPE, &ignore, NULL);
    /* Blocked before any thread starts: they come to sigtimedwait only. */
    stop_signal_set(&signals);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    raise_file_limit(options->max_connections + options->max_connections / 4 + 256);
    if (service_start(options, &service, &err) != 0) {
        if (err.code == ERR_CANCELLED && stop_signal_waits()) {
            log_info("main", "stopped before it had begun", "why=%s",
                     LOG_QUOTED(err.text));
            return 0;
        }
        log_error("main", "cannot start", "code=%s err=%s", err_name(err.code),
                  LOG_QUOTED(err.text));
        return 1;
    }
    log_start(options, service);
    notify_ready();
    int signum = wait_for_signal(service, &signals);
    log_info("main", "stopping", "signal=%d", signum);
    notify_stopping(0);
    int status = atomic_load(&service->ended);
    service_stop(service);
    log_info("main", "stopped", "status=%d", status);
    return status;
}

int main(int argc, char **argv)
{
    struct control_options options = {0};
    enum option_outcome outcome = OPTION_RUN;
    struct err err = {0};

    int code = option_parse(&control_program, argc, argv, &options, &outcome, &err);
    if (code == 0 && outcome == OPTION_RUN)
        code = control_options_check(&options, &err);
    if (code != 0) {
        fprintf(stderr, "weft-controlplane: %s\n", err.text);
        option_free(&control_program, &options);
        return 2;
    }
    int status = outcome == OPTION_RUN ? run(&options) : 0;
    option_free(&control_program, &options);
    return status;
}
