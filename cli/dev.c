/* dev.c - see dev.h.
 *
 * A control plane and an agent, the ordinary programs with ordinary options, on
 * 127.0.0.1, over a store that is a directory. What they write lies in a temporary
 * directory that goes with them, or in --dir, which a later run goes on with. Signals are
 * blocked and taken by sigtimedwait between steps, so that an interrupt at any moment
 * ends in the same clean-up. */
#include "cli/dev.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ftw.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/child.h"
#include "cli/enrolment.h"
#include "cli/file.h"
#include "cli/output.h"
#include "common/clock.h"
#include "common/mem.h"

#define READY_MS   30000
#define STOP_MS    15000
#define PAUSE_MS   3
#define CALL_MS    10000
#define LOG_TAIL   2000
#define PATH_ROOM  CHILD_PATH_MAX
#define URL_ROOM   256
#define NAME_SPACE 64 /* what we add to the directory's name */
#define TOKEN_MS   (INT64_C(30) * 86400 * 1000)

enum { CONTROL_PLANE, AGENT, CHILDREN };

struct dev {
    struct cli *cli;
    char dir[PATH_ROOM - NAME_SPACE];
    bool temporary;
    struct child children[CHILDREN];
    char people_url[URL_ROOM];
    char admin_url[URL_ROOM]; /* the agent's */
    char bootstrap[URL_ROOM];
    char cluster_id[ENROLMENT_ID_ROOM];
    int64_t began_ms;
    sigset_t signals;
    int interrupted; /* the signal that wants us to end */
};

static void path_in(const struct dev *dev, const char *name, char path[PATH_ROOM])
{
    (void)snprintf(path, PATH_ROOM, "%s/%s", dev->dir, name);
}

/* ---- waiting ---- */

static void say_log(const struct dev *dev, const struct child *child)
{
    struct str text;
    struct err err;

    str_init(&text, 64 * MIB);
    if (file_read(child->log, &text, &err) == 0) {
        const char *tail = str_cstr(&text);
        if (text.len > LOG_TAIL) {
            const char *line = strchr(tail + text.len - LOG_TAIL, '\n');
            tail = line == NULL ? tail + text.len - LOG_TAIL : line + 1;
        }
        (void)fprintf(stderr, "%s", tail);
    }
    str_fini(&text);
    if (!dev->temporary)
        (void)fprintf(stderr, "its log: %s\n", child->log);
}

/* Let WAIT_MS pass, unless something happens. True: go on. */
static bool pause_ms(struct dev *dev, int64_t wait_ms)
{
    struct timespec wait = {.tv_sec = wait_ms / 1000,
                            .tv_nsec = (wait_ms % 1000) * 1000000};
    int number = sigtimedwait(&dev->signals, NULL, &wait);
    int status;

    if (number > 0 && number != SIGCHLD)
        dev->interrupted = number;
    if (dev->interrupted != 0)
        return false;
    for (size_t i = 0; i < CHILDREN; i++) {
        struct child *child = &dev->children[i];
        if (child_ended(child, &status)) {
            cli_error(dev->cli,
                      "%s ended by itself, %s %d; the end of its log:", child->name,
                      WIFSIGNALED(status) ? "by signal" : "with status",
                      WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
            say_log(dev, child);
            return false;
        }
    }
    return true;
}

static bool late(const struct dev *dev, const struct child *child)
{
    if (clock_monotonic_ms() - dev->began_ms < READY_MS)
        return false;
    cli_error(dev->cli,
              "%s is not ready after %d seconds; the end of its log:", child->name,
              READY_MS / 1000);
    say_log(dev, child);
    return true;
}

/* ---- steps ---- */

static int make_directory(struct dev *dev)
{
    const char *wanted = args_flag(&dev->cli->args, "dir");
    const char *base = getenv("TMPDIR");

    if (wanted == NULL) {
        dev->temporary = true;
        (void)snprintf(dev->dir, sizeof(dev->dir), "%s/weft-dev-XXXXXX",
                       base == NULL || *base == '\0' ? "/tmp" : base);
        if (mkdtemp(dev->dir) != NULL)
            return 0;
        dev->temporary = false;
    } else if (strlen(wanted) < sizeof(dev->dir)) {
        if (mkdir(wanted, 0700) == 0 || errno == EEXIST) {
            char *whole = realpath(wanted, NULL);
            if (whole != NULL && strlen(whole) < sizeof(dev->dir)) {
                (void)snprintf(dev->dir, sizeof(dev->dir), "%s", whole);
                mem_free(whole);
                return 0;
            }
            mem_free(whole);
        }
    }
    cli_error(dev->cli, "cannot make the directory %s: %s",
              wanted == NULL ? dev->dir : wanted, strerror(errno));
    return CLI_FAILED;
}

/* Whether clients can be served at 127.0.0.1:PORT; 0 finds a free port. */
static int take_port(struct dev *dev, int wanted, int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)wanted),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int rc = -1;

    if (fd >= 0) {
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
        rc = bind(fd, (struct sockaddr *)&address, sizeof(address));
        if (rc == 0)
            rc = getsockname(fd, (struct sockaddr *)&address, &len);
    }
    if (rc == 0)
        *port = ntohs(address.sin_port);
    else
        cli_error(dev->cli, "cannot listen on 127.0.0.1:%d: %s\n  choose another --port",
                  wanted, strerror(errno));
    if (fd >= 0)
        (void)close(fd);
    return rc == 0 ? 0 : CLI_FAILED;
}

static int start(struct dev *dev, size_t which, const char *name, char *const argv[])
{
    struct err err;
    char log[NAME_SPACE];

    (void)snprintf(log, sizeof(log), "%s.log", name);
    path_in(dev, log, dev->children[which].log);
    if (child_start(&dev->children[which], name, argv, &err) == 0)
        return 0;
    cli_error(dev->cli, "%s", err.text);
    return CLI_FAILED;
}

/* The value of KEY= in the control plane's file of addresses, once that is there. */
static bool read_address(struct dev *dev)
{
    static const char key[] = "people=";
    char path[PATH_ROOM];
    struct str text;
    struct err err;
    bool found = false;

    path_in(dev, "controlplane/addresses", path);
    str_init(&text, 64 * KIB);
    if (access(path, R_OK) == 0 && file_read(path, &text, &err) == 0) {
        const char *at = strstr(str_cstr(&text), key);
        if (at != NULL) {
            at += strlen(key);
            (void)snprintf(dev->people_url, sizeof(dev->people_url), "%.*s",
                           (int)strcspn(at, "\n"), at);
            found = dev->people_url[0] != '\0';
        }
    }
    str_fini(&text);
    return found;
}

/* It has founded its cell, and listens. */
static bool control_plane_is_ready(struct dev *dev)
{
    static const char *const files[] = {
        "controlplane/ca.crt", "controlplane/ca.fingerprint", "controlplane/admin-token"};
    char path[PATH_ROOM];

    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        path_in(dev, files[i], path);
        if (access(path, R_OK) != 0)
            return false;
    }
    return read_address(dev);
}

static int start_control_plane(struct dev *dev)
{
    char program[PATH_ROOM], data[PATH_ROOM], data_dir[PATH_ROOM + NAME_SPACE];
    char addresses[PATH_ROOM];
    char *argv[] = {program,
                    data_dir,
                    (char[]){"--bootstrap=true"},
                    (char[]){"--node-name=dev"},
                    (char[]){"--listen=127.0.0.1:0"},
                    (char[]){"--listen-agents=127.0.0.1:0"},
                    (char[]){"--listen-peers=127.0.0.1:0"},
                    NULL};

    path_in(dev, "controlplane", data);
    path_in(dev, "controlplane/addresses", addresses);
    (void)unlink(addresses); /* of a run that was killed */
    (void)snprintf(data_dir, sizeof(data_dir), "--data-dir=%s", data);
    child_find("weft-controlplane", program);
    int rc = start(dev, CONTROL_PLANE, "weft-controlplane", argv);
    while (rc == 0 && !control_plane_is_ready(dev)) {
        if (late(dev, &dev->children[CONTROL_PLANE]) || !pause_ms(dev, PAUSE_MS))
            rc = CLI_FAILED;
    }
    return rc;
}

static int read_file(struct dev *dev, const char *name, struct str *text)
{
    char path[PATH_ROOM];
    struct err err;

    path_in(dev, name, path);
    int rc = file_read(path, text, &err);
    return rc == 0 ? 0 : cli_fail(dev->cli, rc, &err);
}

static int connect_rest(struct dev *dev)
{
    const char *servers[] = {dev->people_url};
    struct str ca, token;
    int rc;

    str_init(&ca, 256 * KIB);
    str_init(&token, 64 * KIB);
    rc = read_file(dev, "controlplane/ca.crt", &ca);
    if (rc == 0)
        rc = read_file(dev, "controlplane/admin-token", &token);
    if (rc == 0) {
        struct rest_options options = {.servers = servers,
                                       .server_count = 1,
                                       .ca_pem = str_cstr(&ca),
                                       .timeout_ms = CALL_MS,
                                       .verbose = dev->cli->verbose};
        while (token.len > 0 && token.data[token.len - 1] == '\n')
            str_truncate(&token, token.len - 1);
        options.token = str_cstr(&token);
        dev->cli->rest = rest_new(&options);
    }
    str_fini(&token);
    str_fini(&ca);
    return rc;
}

/* The cluster "dev", of this run or an earlier one, and a token in a file of its own,
 * which the agent reads. */
static int make_cluster(struct dev *dev)
{
    char path[PATH_ROOM];
    int rc = enrolment_cluster(dev->cli, "dev", dev->cluster_id);

    path_in(dev, "enrolment-token", path);
    return rc != 0
               ? rc
               : enrolment_token(dev->cli, dev->cluster_id, "weft dev", TOKEN_MS, path);
}

static bool agent_is_ready(struct dev *dev)
{
    struct rest_answer answer;
    struct err err;
    int rc = rest_probe(dev->cli->rest, dev->admin_url, "/readyz", &answer, &err);

    rest_answer_fini(&answer);
    return rc == 0 && answer.status == 200;
}

static int start_agent(struct dev *dev)
{
    const char *store = args_flag(&dev->cli->args, "store");
    const char *port_text = args_flag(&dev->cli->args, "port");
    int64_t wanted = 9092;
    int port = 0, admin_port = 0;
    char program[PATH_ROOM], directory[PATH_ROOM], fingerprint[URL_ROOM];
    char options[7][PATH_ROOM + NAME_SPACE];
    char *argv[9] = {program};
    struct str hex;

    if (port_text != NULL &&
        args_number(FLAG_INT, port_text, dev->cli->now_ms, &wanted) != 0)
        return CLI_USAGE; /* args.c has looked at it already */
    if (wanted > UINT16_MAX) {
        cli_error(dev->cli, "--port: a port is at most %d", UINT16_MAX);
        return CLI_USAGE;
    }
    str_init(&hex, KIB);
    int rc = read_file(dev, "controlplane/ca.fingerprint", &hex);
    (void)snprintf(fingerprint, sizeof(fingerprint), "%.*s",
                   (int)strcspn(str_cstr(&hex), "\n"), str_cstr(&hex));
    str_fini(&hex);
    if (rc == 0)
        rc = take_port(dev, (int)wanted, &port);
    if (rc == 0)
        rc = take_port(dev, 0, &admin_port);
    if (rc != 0)
        return rc;
    (void)snprintf(dev->bootstrap, sizeof(dev->bootstrap), "127.0.0.1:%d", port);
    (void)snprintf(dev->admin_url, sizeof(dev->admin_url), "http://127.0.0.1:%d",
                   admin_port);
    const size_t room = sizeof(options[0]);
    (void)snprintf(options[0], room, "--control-plane=%s", dev->people_url);
    (void)snprintf(options[1], room, "--ca-fingerprint=%s", fingerprint);
    (void)snprintf(options[2], room, "--enrolment-token=@%s/enrolment-token", dev->dir);
    (void)snprintf(options[3], room, "--listen=%s", dev->bootstrap);
    (void)snprintf(options[4], room, "--advertise=%s", dev->bootstrap);
    (void)snprintf(options[5], room, "--admin-listen=127.0.0.1:%d", admin_port);
    if (store != NULL) {
        (void)snprintf(options[6], room, "--store=%s", store);
    } else {
        path_in(dev, "store", directory);
        (void)mkdir(directory, 0700); /* the agent says it when it is not there */
        (void)snprintf(options[6], room, "--store=file://%s", directory);
    }
    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        argv[1 + i] = options[i];
    child_find("weft-agent", program);
    rc = start(dev, AGENT, "weft-agent", argv);
    while (rc == 0 && !agent_is_ready(dev)) {
        if (late(dev, &dev->children[AGENT]) || !pause_ms(dev, PAUSE_MS))
            rc = CLI_FAILED;
    }
    return rc;
}

static int make_topic(struct dev *dev, const char *name)
{
    const char *partitions = args_flag(&dev->cli->args, "partitions");
    char url[URL_ROOM];
    struct rest_answer answer;
    struct err err = {0};
    int64_t count = 1;

    if (partitions != NULL &&
        args_number(FLAG_INT, partitions, dev->cli->now_ms, &count) != 0)
        return CLI_USAGE; /* args.c has looked at it already */
    struct json *body = json_object();
    json_set(body, "name", json_string(name));
    json_set(body, "partitions", json_int(count));
    (void)snprintf(url, sizeof(url), "/api/v1/clusters/%s/topics", dev->cluster_id);
    const struct rest_request request = {.method = "POST", .path = url, .body = body};
    int code = rest_send(dev->cli->rest, &request, &answer, &err);
    if (answer.status == 409)
        code = 0; /* of an earlier run */
    rest_answer_fini(&answer);
    json_free(body);
    return code == 0 ? 0 : cli_fail(dev->cli, err_wrap(&err, code, "the topic"), &err);
}

/* ---- the whole ---- */

static void say_ready(const struct dev *dev, const char *topic)
{
    const struct cli *cli = dev->cli;
    struct str out;

    str_init(&out, 64 * KIB);
    if (cli->output == OUTPUT_TABLE) {
        str_printf(&out,
                   "Weft is ready after %lld ms.\n\n"
                   "  bootstrap.servers  %s\n"
                   "  topic              %s\n"
                   "  control plane      %s\n"
                   "  data               %s%s\n\n"
                   "Try\n"
                   "  seq 100 | kcat -b %s -t %s -P\n"
                   "  kcat -b %s -t %s -C -e\n"
                   "  weft --server %s --ca-file %s/controlplane/ca.crt "
                   "--token @%s/controlplane/admin-token topic list\n\n"
                   "Ctrl-C ends it.\n",
                   (long long)(clock_monotonic_ms() - dev->began_ms), dev->bootstrap,
                   topic, dev->people_url, dev->dir,
                   dev->temporary ? " (goes with Ctrl-C; --dir DIR keeps it)" : "",
                   dev->bootstrap, topic, dev->bootstrap, topic, dev->people_url,
                   dev->dir, dev->dir);
        (void)fwrite(str_cstr(&out), 1, out.len, stdout);
    } else {
        static const struct column none[] = {{NULL, NULL, CELL_TEXT}};
        struct json *answer = json_object();
        json_set(answer, "bootstrap_servers", json_string(dev->bootstrap));
        json_set(answer, "topic", json_string(topic));
        json_set(answer, "control_plane", json_string(dev->people_url));
        json_set(answer, "cluster_id", json_string(dev->cluster_id));
        json_set(answer, "metrics", json_string(dev->admin_url));
        json_set(answer, "directory", json_string(dev->dir));
        output_one(cli, none, answer);
        json_free(answer);
    }
    str_fini(&out);
    (void)fflush(stdout);
}

static int remove_one(const char *path, const struct stat *stat, int kind,
                      struct FTW *place)
{
    (void)stat, (void)kind, (void)place;
    return remove(path);
}

static void stop(struct dev *dev)
{
    child_stop(&dev->children[AGENT], STOP_MS); /* it drains into a control plane */
    child_stop(&dev->children[CONTROL_PLANE], STOP_MS);
    if (dev->temporary && nftw(dev->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
        cli_error(dev->cli, "%s is not removed: %s", dev->dir, strerror(errno));
}

static int run(struct dev *dev, const char *topic)
{
    int rc = make_directory(dev);
    if (rc == 0)
        rc = start_control_plane(dev);
    if (rc == 0)
        rc = connect_rest(dev);
    if (rc == 0)
        rc = make_cluster(dev);
    if (rc == 0)
        rc = start_agent(dev);
    if (rc == 0)
        rc = make_topic(dev, topic);
    if (rc != 0)
        return dev->interrupted != 0 ? CLI_OK : rc;
    say_ready(dev, topic);
    while (pause_ms(dev, 60000))
        ;
    return dev->interrupted != 0 ? CLI_OK : CLI_FAILED;
}

int dev_run(struct cli *cli)
{
    const char *topic = args_flag(&cli->args, "topic");
    struct dev *dev = mem_zalloc(sizeof(*dev));
    sigset_t before;

    dev->cli = cli;
    dev->began_ms = clock_monotonic_ms();
    (void)sigemptyset(&dev->signals);
    (void)sigaddset(&dev->signals, SIGINT);
    (void)sigaddset(&dev->signals, SIGTERM);
    (void)sigaddset(&dev->signals, SIGHUP);
    (void)sigaddset(&dev->signals, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &dev->signals, &before);
    int rc = run(dev, topic == NULL ? "test" : topic);
    if (dev->interrupted != 0)
        cli_note(cli, "\nstopping");
    stop(dev);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    mem_free(dev);
    return rc;
}
