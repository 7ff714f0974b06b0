/* login.c - see login.h.
 *
 * Trust comes first: from --ca-file, from --ca-fingerprint (the CA is then fetched
 * without verification, which is safe because nothing is believed before its fingerprint
 * is the one that was given), or from the context that is logged into again. The token is
 * sent only over a connection that this CA vouches for. */
#include "cli/login.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <termios.h>

#include "cli/file.h"
#include "cli/format.h"
#include "cli/output.h"
#include "common/mem.h"
#include "common/x509.h"

#define CA_MAX (16 * X509_PEM_MAX)

/* ---- the CA ---- */

static int clean_fingerprint(const char *text, char hex[X509_FINGERPRINT_LEN + 1],
                             struct err *err)
{
    size_t n = 0;

    for (; *text != '\0'; text++) {
        if (*text == ':' || isspace((unsigned char)*text))
            continue;
        if (n == X509_FINGERPRINT_LEN || !isxdigit((unsigned char)*text))
            break;
        hex[n++] = (char)tolower((unsigned char)*text);
    }
    hex[n] = '\0';
    if (*text != '\0' || n != X509_FINGERPRINT_LEN)
        return err_set(err, ERR_INVALID,
                       "a fingerprint is 64 hex digits, the SHA-256 of the CA's "
                       "certificate; the control plane writes it to ca.fingerprint");
    return 0;
}

int login_pick_ca(struct slice pem, const char *fingerprint, char first[65],
                  struct str *out, struct err *err)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----";
    static const char end[] = "-----END CERTIFICATE-----";
    char wanted[X509_FINGERPRINT_LEN + 1] = "", hex[X509_FINGERPRINT_LEN + 1];
    const char *at = (const char *)pem.ptr;
    size_t left = pem.len;

    first[0] = '\0';
    if (fingerprint != NULL && clean_fingerprint(fingerprint, wanted, err) != 0)
        return ERR_INVALID;
    while (at != NULL && left > 0) {
        const char *from = memmem(at, left, begin, strlen(begin));
        if (from == NULL)
            break;
        left -= (size_t)(from - at);
        const char *to = memmem(from, left, end, strlen(end));
        if (to == NULL)
            break;
        struct slice one = slice_of(from, (size_t)(to - from) + strlen(end));
        int rc = x509_fingerprint(one, hex, err);
        if (rc != 0)
            return rc;
        if (first[0] == '\0')
            memcpy(first, hex, sizeof(hex));
        if (strcmp(hex, wanted) == 0) {
            str_append_slice(out, one);
            str_putc(out, '\n');
            return 0;
        }
        at = from + one.len;
        left -= one.len;
    }
    if (first[0] == '\0')
        return err_set(err, ERR_MALFORMED, "it holds no certificate");
    return err_set(err, ERR_NOT_FOUND, "no certificate of this fingerprint");
}

/* GET /api/v1/ca of URL; without verification when CA_PEM is NULL. */
static int fetch_ca(struct cli *cli, const char *url, const char *ca_pem, struct str *pem,
                    struct err *err)
{
    const struct rest_options options = {
        .servers = &url,
        .server_count = 1,
        .ca_pem = ca_pem,
        .verify_none = ca_pem == NULL,
        .timeout_ms = 5000,
        .verbose = cli->verbose,
    };
    const struct rest_request request = {.method = "GET", .path = "/api/v1/ca"};
    struct rest *rest = rest_new(&options);
    struct rest_answer answer;
    int rc = rest_send(rest, &request, &answer, err);

    if (rc == 0)
        str_append_slice(pem, str_slice(&answer.text));
    rest_answer_fini(&answer);
    rest_free(rest);
    return rc;
}

/* Of the first of CONTEXT's servers that answers: *URL, or the last that did not. */
static int fetch_ca_of_any(struct cli *cli, const struct context *context,
                           const char *ca_pem, const char **url, struct str *pem,
                           struct err *err)
{
    int rc = ERR_INVALID;

    for (size_t i = 0; i < context->server_count && rc != 0; i++) {
        *url = context->servers[i];
        rc = fetch_ca(cli, *url, ca_pem, pem, err);
    }
    return rc;
}

/* Trust by fingerprint. */
static int pin(struct cli *cli, const struct context *context, const char *fingerprint,
               char **ca_pem)
{
    char first[X509_FINGERPRINT_LEN + 1];
    const char *url = NULL;
    struct str pem, picked;
    struct err err = {0};

    str_init(&pem, CA_MAX);
    str_init(&picked, CA_MAX);
    int rc = fetch_ca_of_any(cli, context, NULL, &url, &pem, &err);
    int exit_code = rest_exit(rc);
    if (rc != 0) {
        cli_error(cli, "%s", err.text);
    } else if ((rc = login_pick_ca(str_slice(&pem), fingerprint, first, &picked, &err)) ==
               0) {
        context_set(ca_pem, str_cstr(&picked));
    } else if (rc != ERR_NOT_FOUND) {
        cli_error(cli, "the CA of %s: %s", url, err.text);
        exit_code = rc == ERR_INVALID ? CLI_USAGE : CLI_FAILED;
    } else if (fingerprint == NULL) {
        cli_error(cli,
                  "%s is not trusted yet\n"
                  "  it says that its CA has this fingerprint:\n    %s\n"
                  "  compare it with the file ca.fingerprint in the control plane's data "
                  "directory, or ask who runs\n"
                  "  it; if it is the same: weft login %s --ca-fingerprint %s ...\n"
                  "  or give the CA's certificate: --ca-file FILE",
                  url, first, url, first);
        exit_code = CLI_UNREACHABLE;
    } else {
        cli_error(
            cli,
            "%s has another CA than --ca-fingerprint says\n"
            "  its fingerprint is %s\n"
            "  either the fingerprint is of another cell or an older CA, or somebody "
            "is in between: nothing was sent",
            url, first);
        exit_code = CLI_UNREACHABLE;
    }
    str_fini(&pem);
    str_fini(&picked);
    return exit_code;
}

static int trust(struct cli *cli, struct context *context)
{
    const char *file = args_flag(&cli->args, "ca-file");
    const char *fingerprint = args_flag(&cli->args, "ca-fingerprint");
    char first[X509_FINGERPRINT_LEN + 1];
    struct str pem, picked;
    struct err err = {0};

    if (file == NULL && fingerprint == NULL && context->ca_pem != NULL)
        return 0; /* again, by what it was trusted before */
    if (file == NULL)
        return pin(cli, context, fingerprint, &context->ca_pem);
    str_init(&pem, CA_MAX);
    str_init(&picked, CA_MAX);
    int rc = file_read(file, &pem, &err);
    if (rc == 0)
        rc = login_pick_ca(str_slice(&pem), fingerprint, first, &picked, &err);
    if (rc == ERR_NOT_FOUND && fingerprint == NULL && pem.len > 0 && first[0] != '\0')
        rc = 0; /* all that the file holds */
    if (rc == 0)
        context_set(&context->ca_pem, str_cstr(fingerprint != NULL ? &picked : &pem));
    else
        cli_error(cli, "%s: %s", file, err.text);
    str_fini(&pem);
    str_fini(&picked);
    return rc == 0 ? 0 : rc == ERR_INVALID ? CLI_USAGE : CLI_FAILED;
}

/* ---- the token ---- */

/* Ask on the terminal, without echo. */
static int ask_token(struct cli *cli, char **token)
{
    struct termios before, silent;
    char line[4096];

    if (!cli->interactive) {
        cli_error(cli, "which token? --token @FILE, or --token - for standard input\n"
                       "  the first operator's token is in the control plane's data "
                       "directory: admin-token");
        return CLI_USAGE;
    }
    bool hidden = tcgetattr(STDIN_FILENO, &before) == 0;
    if (hidden) {
        silent = before;
        silent.c_lflag &= ~(tcflag_t)ECHO;
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    }
    (void)fprintf(stderr, "token: ");
    bool got = fgets(line, sizeof(line), stdin) != NULL;
    if (hidden)
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    (void)fputc('\n', stderr);
    if (got) {
        line[strcspn(line, "\r\n")] = '\0';
        context_set(token, line);
    }
    explicit_bzero(line, sizeof(line));
    if (got && (*token)[0] != '\0')
        return 0;
    cli_error(cli, "no token was given");
    return CLI_USAGE;
}

static bool token_fits(const char *token)
{
    size_t len = strlen(token);

    for (size_t i = 0; i < len; i++) {
        if (token[i] <= ' ' || token[i] > '~')
            return false;
    }
    return len > 0 && len <= 4000;
}

static int get_token(struct cli *cli, char **token)
{
    const char *text = args_flag(&cli->args, "token");
    int rc = text == NULL ? ask_token(cli, token) : cli_secret(cli, text, token);

    if (rc == 0 && !token_fits(*token)) {
        cli_error(cli, "that is no token: one line of printable ASCII is wanted");
        rc = CLI_USAGE;
    }
    return rc;
}

/* ---- login ---- */

/* Add the addresses of the other nodes, so that the loss of this one is no loss. */
static void add_node(struct context *context, const struct json *node)
{
    struct json_reader r = {0};
    struct slice url =
        json_as_string(&r, json_find(node, "people_url"), "people_url", 1000);
    struct err err;

    /* An address that makes no sense is the node's matter, and no reason to fail here. */
    if (r.failed || url.len == 0 ||
        context_add_server(context, (const char *)url.ptr, &err) != 0)
        return;
}

static void add_nodes(struct cli *cli, struct context *context)
{
    const struct rest_request request = {.method = "GET",
                                         .path = "/api/v1/cell/nodes?limit=100"};
    struct rest_answer answer;
    struct json_reader r = {0};
    struct err err;
    int rc = rest_send(cli->rest, &request, &answer, &err);
    const struct json *items = json_find(answer.body, "items");

    for (size_t i = 0; rc == 0 && i < json_count(items); i++)
        add_node(context, json_at(&r, items, i));
    rest_answer_fini(&answer);
}

static void text_of(const struct json *object, const char *key, char **text)
{
    const struct json *value = json_find(object, key);
    struct json_reader r = {0};

    if (json_kind(value) == JSON_KIND_STRING)
        context_set(text, (const char *)json_as_string(&r, value, key, SIZE_MAX).ptr);
}

/* Ask who we are, over a connection that the CA vouches for. */
static int prove(struct cli *cli, struct context *context, char **role, char **who)
{
    const struct rest_options options = {
        .servers = (const char *const *)context->servers,
        .server_count = context->server_count,
        .ca_pem = context->ca_pem,
        .token = context->token,
        .timeout_ms = 15000,
        .verbose = cli->verbose,
        .patient = !cli->quiet,
    };
    struct rest_answer answer;
    struct err err = {0};
    struct str pem;

    cli->rest = rest_new(&options);
    int rc = cli_get(cli, "/api/v1/whoami", &answer);
    if (rc == 0) {
        text_of(answer.body, "role", role);
        text_of(answer.body, "name", who);
        if (context->cluster == NULL)
            text_of(answer.body, "cluster_id", &context->cluster);
    }
    rest_answer_fini(&answer);
    if (rc != 0)
        return rc;
    if (*role != NULL && strcmp(*role, "operator") == 0)
        add_nodes(cli, context);
    /* A cell whose CA is being replaced has two: keep both, now that it is trusted. */
    str_init(&pem, CA_MAX);
    const char *url = NULL;
    if (fetch_ca_of_any(cli, context, context->ca_pem, &url, &pem, &err) == 0 &&
        memmem(str_cstr(&pem), pem.len, "-----BEGIN CERTIFICATE-----", 27) != NULL)
        context_set(&context->ca_pem, str_cstr(&pem));
    str_fini(&pem);
    return 0;
}

/* URLS: addresses of nodes of one cell, with commas between. */
static int add_servers(struct context *context, const char *urls, struct err *err)
{
    char *text = mem_strdup(urls), *rest = NULL;
    int rc = 0;

    for (char *url = strtok_r(text, ", ", &rest); url != NULL && rc == 0;
         url = strtok_r(NULL, ", ", &rest))
        rc = context_add_server(context, url, err);
    mem_free(text);
    if (rc == 0 && context->server_count == 0)
        rc = err_set(err, ERR_INVALID, "no address is given: want https://HOST:PORT");
    return rc;
}

/* The name of a context that was not given one: the host of the first address. */
static void default_name(const char *url, char name[CONFIG_NAME_MAX + 1])
{
    const char *host = strstr(url, "://");
    size_t n = 0;

    for (host = host == NULL ? url : host + 3;
         *host != '\0' && *host != '/' && n < CONFIG_NAME_MAX; host++)
        if (*host != '[' && *host != ']')
            name[n++] = *host;
    name[n] = '\0';
}

static int login_into(struct cli *cli, struct config *config, const char *urls,
                      const char *name)
{
    const char *cluster = args_flag(&cli->args, "cluster");
    struct context *context;
    struct err err = {0};
    char *role = NULL, *who = NULL;
    int rc;

    if (config_put(config, name, &context, &err) != 0) {
        cli_error(cli, "%s", err.text);
        return CLI_USAGE;
    }
    bool known = context->server_count > 0;
    context_clear_servers(context);
    if (add_servers(context, urls, &err) != 0) {
        cli_error(cli, "%s", err.text);
        return CLI_USAGE;
    }
    rc = trust(cli, context);
    if (rc == 0)
        rc = get_token(cli, &context->token);
    if (rc == 0 && cluster != NULL)
        context_set(&context->cluster, cluster);
    if (rc == 0)
        rc = prove(cli, context, &role, &who);
    if (rc == 0) {
        context_set(&config->current, name);
        if ((rc = config_save(config, &err)) != 0)
            rc = cli_fail(cli, rc, &err);
    }
    if (rc == 0)
        cli_note(cli, "%s %s as %s (%s); this is the context %s now",
                 known ? "logged in again to" : "logged in to", context->servers[0],
                 who == NULL || *who == '\0' ? "somebody" : who,
                 role == NULL ? "no role" : role, name);
    context_set(&role, NULL);
    context_set(&who, NULL);
    return rc;
}

/* Read the file, ready to be changed, and do CHANGE. */
static int with_config(struct cli *cli, struct config *config)
{
    struct err err = {0};
    char *path;
    int rc = config_path(&path, &err);

    if (rc != 0) {
        memset(config, 0, sizeof(*config));
        config->lock_fd = -1;
        return cli_fail(cli, rc, &err);
    }
    rc = config_load(config, path, true, &err);
    mem_free(path);
    return rc == 0 ? 0 : cli_fail(cli, rc, &err);
}

int login_run(struct cli *cli)
{
    const char *name = args_flag(&cli->args, "name");
    const char *urls = args_value(&cli->args, "url");
    char first[CONFIG_NAME_MAX + 1], host[CONFIG_NAME_MAX + 1];
    struct config *config = mem_zalloc(sizeof(*config));
    struct err err = {0};
    char *url;
    int rc;

    snprintf(first, sizeof(first), "%.*s", (int)strcspn(urls, ", "), urls);
    if (config_clean_url(first, &url, &err) != 0) {
        cli_error(cli, "%s", err.text);
        mem_free(config);
        return CLI_USAGE;
    }
    default_name(url, host);
    mem_free(url);
    rc = with_config(cli, config);
    if (rc == 0)
        rc = login_into(cli, config, urls, name == NULL ? host : name);
    config_fini(config);
    mem_free(config);
    return rc;
}

/* ---- contexts ---- */

static struct json *context_json(const struct config *config,
                                 const struct context *context)
{
    struct json *object = json_object(), *servers = json_array();
    char first[X509_FINGERPRINT_LEN + 1] = "";
    struct str none;
    struct err err;

    str_init(&none, 1);
    if (context->ca_pem != NULL)
        (void)!login_pick_ca(slice_str(context->ca_pem), NULL, first, &none, &err);
    for (size_t i = 0; i < context->server_count; i++)
        json_push(servers, json_string(context->servers[i]));
    json_set(object, "name", json_string(context->name));
    json_set(object, "current",
             json_bool(config->current != NULL &&
                       strcmp(config->current, context->name) == 0));
    json_set(object, "servers", servers);
    json_set(object, "server",
             context->server_count == 0 ? json_null() : json_string(context->servers[0]));
    json_set(object, "ca_fingerprint",
             first[0] == '\0' ? json_null() : json_string(first));
    json_set(object, "cluster",
             context->cluster == NULL ? json_null() : json_string(context->cluster));
    json_set(object, "logged_in", json_bool(context->token != NULL));
    str_fini(&none);
    return object;
}

int context_list(struct cli *cli)
{
    static const struct column columns[] = {
        {"CURRENT", "current", CELL_TEXT}, {"NAME", "name", CELL_TEXT},
        {"SERVER", "server", CELL_TEXT},   {"CLUSTER", "cluster", CELL_TEXT},
        {"TOKEN", "logged_in", CELL_TEXT}, {NULL, NULL, CELL_TEXT},
    };
    struct output_list list;
    int rc = cli_context(cli);

    if (rc != 0)
        return rc;
    output_list_init(&list, cli, columns);
    for (size_t i = 0; i < cli->config.context_count; i++) {
        struct json *item = context_json(&cli->config, &cli->config.contexts[i]);
        output_list_item(&list, item);
        json_free(item);
    }
    output_list_end(&list, NULL);
    return 0;
}

static int no_context(const struct cli *cli, const char *name)
{
    if (name == NULL)
        cli_error(cli, "there is no context in use\n  `weft login` makes one, `weft "
                       "context use NAME` chooses one");
    else
        cli_error(cli,
                  "there is no context %.80s\n  `weft context list` shows what there "
                  "is",
                  name);
    return CLI_NOT_FOUND;
}

int context_show(struct cli *cli)
{
    static const struct column columns[] = {
        {"NAME", "name", CELL_TEXT},
        {"CURRENT", "current", CELL_TEXT},
        {"SERVERS", "servers", CELL_TEXT},
        {"CA FINGERPRINT", "ca_fingerprint", CELL_TEXT},
        {"CLUSTER", "cluster", CELL_TEXT},
        {"TOKEN", "logged_in", CELL_TEXT},
        {NULL, NULL, CELL_TEXT},
    };
    const char *name = args_value(&cli->args, "name");
    int rc = cli_context(cli);
    const struct context *context =
        name == NULL ? cli->context : config_find(&cli->config, name);

    if (rc != 0)
        return rc;
    if (context == NULL)
        return no_context(cli, name);
    struct json *object = context_json(&cli->config, context);
    output_one(cli, columns, object);
    json_free(object);
    return 0;
}

/* Change the file: ACT says what, on the context that NAME or --context names or that
 * is in use. */
static int change(struct cli *cli, const char *name,
                  int (*act)(struct cli *cli, struct config *config,
                             struct context *context))
{
    struct config *config = mem_zalloc(sizeof(*config));
    struct err err = {0};
    int rc = with_config(cli, config);

    if (name == NULL)
        name = args_flag(&cli->args, "context");
    if (name == NULL && rc == 0)
        name = config->current;
    struct context *context = rc != 0 || name == NULL ? NULL : config_find(config, name);
    if (rc == 0 && context == NULL)
        rc = no_context(cli, name);
    if (rc == 0)
        rc = act(cli, config, context);
    if (rc == 0 && (rc = config_save(config, &err)) != 0)
        rc = cli_fail(cli, rc, &err);
    config_fini(config);
    mem_free(config);
    return rc;
}

static int do_logout(struct cli *cli, struct config *config, struct context *context)
{
    (void)config;
    context_set(&context->token, NULL);
    cli_note(cli,
             "the token of context %s is forgotten here; `weft token revoke` would "
             "end it everywhere",
             context->name);
    return 0;
}

int logout_run(struct cli *cli)
{
    return change(cli, NULL, do_logout);
}

static int do_use(struct cli *cli, struct config *config, struct context *context)
{
    context_set(&config->current, context->name);
    cli_note(cli, "the context is %s now", context->name);
    return 0;
}

int context_use(struct cli *cli)
{
    return change(cli, args_value(&cli->args, "name"), do_use);
}

static int do_change(struct cli *cli, struct config *config, struct context *context)
{
    const struct flag_values *servers = args_flags(&cli->args, "servers");
    const char *cluster = args_flag(&cli->args, "cluster");
    struct err err = {0};
    int rc = 0;

    (void)config;
    if (servers == NULL && cluster == NULL) {
        cli_error(cli, "nothing is to be changed: give --cluster or --servers");
        return CLI_USAGE;
    }
    if (servers != NULL)
        context_clear_servers(context);
    for (size_t i = 0; servers != NULL && i < servers->count; i++) {
        char *copy = mem_strdup(servers->texts[i]), *rest = copy, *url;
        while (rc == 0 && (url = strsep(&rest, ",")) != NULL)
            rc = context_add_server(context, url, &err);
        mem_free(copy);
    }
    if (rc != 0) {
        cli_error(cli, "%s", err.text);
        return CLI_USAGE;
    }
    if (cluster != NULL)
        context_set(&context->cluster, *cluster == '\0' ? NULL : cluster);
    return 0;
}

int context_change(struct cli *cli)
{
    return change(cli, args_value(&cli->args, "name"), do_change);
}

static int do_drop(struct cli *cli, struct config *config, struct context *context)
{
    char question[128];

    (void)snprintf(question, sizeof(question), "Remove context %s with its token?",
                   context->name);
    if (!cli_confirm(cli, question))
        return CLI_USAGE;
    config_remove(config, context);
    return 0;
}

int context_drop(struct cli *cli)
{
    return change(cli, args_value(&cli->args, "name"), do_drop);
}
