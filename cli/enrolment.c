/* enrolment.c - see enrolment.h. */
#include "cli/enrolment.h"

#include <stdio.h>

#include "cli/file.h"

#define PATH_ROOM 256 /* of the API */

/* Nobody else makes it at the same time; if somebody does, that is said. */
int enrolment_cluster(struct cli *cli, const char *name, char id[ENROLMENT_ID_ROOM])
{
    struct json *body = json_object();
    struct rest_answer answer;
    struct json_reader r = {0};
    char path[PATH_ROOM];
    struct slice found = SLICE_NULL;

    (void)snprintf(path, sizeof(path), "/api/v1/clusters?name=%s", name);
    int rc = cli_get(cli, path, &answer);
    const struct json *items = rc == 0 ? json_find(answer.body, "items") : NULL;
    if (json_count(items) > 0) {
        found = rest_text(json_at(&r, items, 0), "id");
    } else if (rc == 0) {
        const struct rest_request request = {
            .method = "POST", .path = "/api/v1/clusters", .body = body};
        rest_answer_fini(&answer);
        json_set(body, "name", json_string(name));
        rc = cli_send(cli, &request, &answer);
        if (rc == 0)
            found = rest_text(answer.body, "id");
    }
    (void)snprintf(id, ENROLMENT_ID_ROOM, "%.*s", (int)found.len,
                   (const char *)found.ptr);
    rest_answer_fini(&answer);
    json_free(body);
    return rc;
}

int enrolment_token(struct cli *cli, const char *id, const char *made_by, int64_t ttl_ms,
                    const char *path)
{
    struct json *body = json_object();
    struct rest_answer answer;
    struct err err;
    char url[PATH_ROOM];

    json_set(body, "name", json_string(made_by));
    json_set(body, "ttl_ms", json_int(ttl_ms));
    json_set(body, "single_use", json_bool(false));
    (void)snprintf(url, sizeof(url), "/api/v1/clusters/%s/enrolment-tokens", id);
    const struct rest_request request = {.method = "POST", .path = url, .body = body};
    int rc = cli_send(cli, &request, &answer);
    if (rc == 0) {
        int code = file_replace(path, rest_text(answer.body, "token"), &err);
        rc = code == 0 ? 0 : cli_fail(cli, code, &err);
    }
    rest_answer_fini(&answer);
    json_free(body);
    return rc;
}
