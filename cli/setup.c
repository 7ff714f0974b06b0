/* setup.c - see setup.h.
 *
 * The one step between a cell that just began and its agents, for compose files and the
 * like: docker-compose.yml runs it as a container that ends. It may be repeated: the
 * cluster stays, the token is a new one, and older ones are good until they expire. */
#include "cli/setup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/enrolment.h"
#include "cli/file.h"
#include "cli/login.h"
#include "cli/output.h"
#include "common/clock.h"
#include "common/x509.h"

#define LOOK_EVERY_US 100000
#define PATH_ROOM     4096

/* A file of the control plane's first start, which is written whole, is there. */
static int wait_for_file(struct cli *cli, const char *path, int64_t until_ms)
{
    while (access(path, F_OK) != 0) {
        if (clock_monotonic_ms() >= until_ms) {
            cli_error(cli,
                      "there is no file %s\n  the control plane writes it when it is "
                      "started for the first time: is it running?",
                      path);
            return CLI_UNREACHABLE;
        }
        (void)usleep(LOOK_EVERY_US);
    }
    return 0;
}

static const char *flag_or_environment(const struct cli *cli, const char *flag,
                                       const char *name)
{
    const char *text = args_flag(&cli->args, flag);
    return text != NULL ? text : getenv(name);
}

/* What cli_connect reads. */
static int wait_for_files(struct cli *cli)
{
    const char *ca = flag_or_environment(cli, "ca-file", "WEFT_CA_FILE");
    const char *token = flag_or_environment(cli, "token", "WEFT_TOKEN");
    const char *timeout = args_flag(&cli->args, "timeout");
    int64_t wait_ms = cli->timeout_ms;
    int rc = 0;

    if (timeout != NULL &&
        args_number(FLAG_DURATION, timeout, cli->now_ms, &wait_ms) != 0)
        return CLI_USAGE; /* args.c has looked at it already */
    int64_t until_ms = clock_monotonic_ms() + wait_ms;
    if (ca != NULL && *ca != '\0')
        rc = wait_for_file(cli, ca, until_ms);
    if (rc == 0 && token != NULL && token[0] == '@')
        rc = wait_for_file(cli, token + 1, until_ms);
    return rc;
}

/* A file that anybody may read. */
static int put(struct cli *cli, const char *name, struct slice text)
{
    char path[PATH_ROOM];
    struct err err;

    (void)snprintf(path, sizeof(path), "%s/%s", args_flag(&cli->args, "dir"), name);
    int rc = file_replace(path, text, &err);
    if (rc == 0 && chmod(path, 0644) != 0)
        rc = err_set_errno(&err, errno, "set the mode of %s", path);
    return rc == 0 ? 0 : cli_fail(cli, rc, &err);
}

/* What anybody may know: who looks at the control plane's metrics wants the CA. */
static int put_authority(struct cli *cli)
{
    char hex[X509_FINGERPRINT_LEN + 1];
    struct rest_answer answer;
    struct str none;
    struct err err;

    str_init(&none, 1);
    int rc = cli_get(cli, "/api/v1/ca", &answer);
    if (rc == 0) {
        /* Without a fingerprint to look for it is the first one, which signs now. */
        int code = login_pick_ca(str_slice(&answer.text), NULL, hex, &none, &err);
        rc = hex[0] != '\0' ? put(cli, "ca.fingerprint", slice_str(hex))
                            : cli_fail(cli, code, &err);
        if (rc == 0)
            rc = put(cli, "ca.crt", str_slice(&answer.text));
    }
    rest_answer_fini(&answer);
    str_fini(&none);
    return rc;
}

static int put_token(struct cli *cli, const char *cluster_id)
{
    const char *ttl = args_flag(&cli->args, "ttl");
    int64_t ttl_ms = INT64_C(30) * 86400 * 1000;
    char path[PATH_ROOM];

    if (ttl != NULL && args_number(FLAG_DURATION, ttl, cli->now_ms, &ttl_ms) != 0)
        return CLI_USAGE; /* args.c has looked at it already */
    (void)snprintf(path, sizeof(path), "%s/enrolment-token",
                   args_flag(&cli->args, "dir"));
    return enrolment_token(cli, cluster_id, "weft setup", ttl_ms, path);
}

int setup_run(struct cli *cli)
{
    const char *name = args_value(&cli->args, "name");
    char id[ENROLMENT_ID_ROOM] = "";

    if (strspn(name,
               "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") !=
        strlen(name)) {
        cli_error(cli, "a cluster's name is made of letters, digits, dots, dashes and "
                       "underscores");
        return CLI_USAGE;
    }
    int rc = wait_for_files(cli);
    if (rc == 0)
        rc = cli_connect(cli);
    if (rc == 0)
        rc = enrolment_cluster(cli, name, id);
    if (rc == 0)
        rc = put_authority(cli);
    if (rc == 0) /* the last file: who waits for it finds the others, too */
        rc = put_token(cli, id);
    if (rc == 0)
        cli_note(cli, "agents of the cluster %s can join by the files in %s", name,
                 args_flag(&cli->args, "dir"));
    return rc;
}
