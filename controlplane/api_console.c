/* api_console.c - the console: a page for people, with its scripts and styles.
 *
 * Its files (controlplane/console/, README there) are part of the program. They hold no
 * secret and are for anybody; what they show comes from the API, by the token that a
 * person signs in with. A browser keeps them and asks each time whether they are still
 * the same (ETag, If-None-Match), so that a new version of the program is seen at once.
 *
 * The policy lets the page load what comes from here, as files, and nothing else: no
 * inline script or style, no other host, no frame around it, no form that is sent. */
#include "controlplane/api.h"

#include <stdio.h>
#include <string.h>

#include "common/crypto.h"
#include "common/embed.h"
#include "controlplane/call.h"

#define FILE_MAX  MIB
#define ETAG_HASH 16 /* bytes of the SHA-256: two files never meet by chance */

#define CONTENT_POLICY                                                                   \
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "      \
    "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

#define SCRIPT "text/javascript; charset=utf-8"
#define STYLE  "text/css; charset=utf-8"
#define IMAGE  "image/svg+xml"

/* Every file but index.html: name of its symbol, path below /console/, media type. */
#define CONSOLE_FILES(F)                                                                 \
    F(base_css, "base.css", STYLE)                                                       \
    F(layout_css, "layout.css", STYLE)                                                   \
    F(parts_css, "parts.css", STYLE)                                                     \
    F(icon_svg, "icon.svg", IMAGE)                                                       \
    F(main_js, "main.js", SCRIPT)                                                        \
    F(api_js, "api.js", SCRIPT)                                                          \
    F(session_js, "session.js", SCRIPT)                                                  \
    F(router_js, "router.js", SCRIPT)                                                    \
    F(shell_js, "shell.js", SCRIPT)                                                      \
    F(theme_js, "theme.js", SCRIPT)                                                      \
    F(dom_js, "dom.js", SCRIPT)                                                          \
    F(icons_js, "icons.js", SCRIPT)                                                      \
    F(format_js, "format.js", SCRIPT)                                                    \
    F(poll_js, "poll.js", SCRIPT)                                                        \
    F(series_js, "series.js", SCRIPT)                                                    \
    F(chart_js, "chart.js", SCRIPT)                                                      \
    F(picture_js, "picture.js", SCRIPT)                                                  \
    F(table_js, "table.js", SCRIPT)                                                      \
    F(pager_js, "pager.js", SCRIPT)                                                      \
    F(dialog_js, "dialog.js", SCRIPT)                                                    \
    F(form_js, "form.js", SCRIPT)                                                        \
    F(notice_js, "notice.js", SCRIPT)                                                    \
    F(config_names_js, "config_names.js", SCRIPT)                                        \
    F(pages_signin, "pages/signin.js", SCRIPT)                                           \
    F(pages_overview, "pages/overview.js", SCRIPT)                                       \
    F(pages_clusters, "pages/clusters.js", SCRIPT)                                       \
    F(pages_topics, "pages/topics.js", SCRIPT)                                           \
    F(pages_topic, "pages/topic.js", SCRIPT)                                             \
    F(pages_groups, "pages/groups.js", SCRIPT)                                           \
    F(pages_group, "pages/group.js", SCRIPT)                                             \
    F(pages_agents, "pages/agents.js", SCRIPT)                                           \
    F(pages_audit, "pages/audit.js", SCRIPT)                                             \
    F(pages_nodes, "pages/nodes.js", SCRIPT)                                             \
    F(pages_usage, "pages/usage.js", SCRIPT)                                             \
    F(pages_missing, "pages/missing.js", SCRIPT)

#define EMBED_FILE(id, path, type) EMBED(console_##id, "controlplane/console/" path);
EMBED(console_index, "controlplane/console/index.html");
CONSOLE_FILES(EMBED_FILE)

struct console_file {
    const char *path, *type, *begin, *end;
};

#define FILE_ROW(id, path, type)                                                         \
    {path, type, embedded_console_##id, embedded_console_##id##_end},
static const struct console_file files[] = {CONSOLE_FILES(FILE_ROW)};

/* Does If-None-Match, a list of ETags or *, name ETAG (RFC 9110 section 13.1.2)? ETAG has
 * its quotes, so no other can hold it. */
static bool has_it_already(const struct call *call, const char *etag)
{
    const char *known = http_exchange_header(call->x, "If-None-Match");
    return known != NULL && (strcmp(known, "*") == 0 || strstr(known, etag) != NULL);
}

static void add_headers(struct call *call, const char *etag)
{
    http_exchange_add_header(call->x, "Content-Security-Policy", CONTENT_POLICY);
    http_exchange_add_header(call->x, "X-Content-Type-Options", "nosniff");
    http_exchange_add_header(call->x, "Referrer-Policy", "no-referrer");
    http_exchange_add_header(call->x, "Cross-Origin-Opener-Policy", "same-origin");
    http_exchange_add_header(call->x, "Cache-Control", "no-cache");
    http_exchange_add_header(call->x, "ETag", etag);
}

static void reply(struct call *call, const char *type, const char *begin, const char *end)
{
    uint8_t hash[SHA256_LEN];
    char hex[2 * ETAG_HASH + 1], etag[sizeof(hex) + 2];
    struct str body;

    crypto_sha256(slice_of(begin, (size_t)(end - begin)), hash);
    crypto_hex(hash, ETAG_HASH, hex);
    snprintf(etag, sizeof(etag), "\"%s\"", hex);
    add_headers(call, etag);
    str_init(&body, FILE_MAX);
    if (has_it_already(call, etag)) {
        http_exchange_reply(call->x, 304, NULL, &body);
        return;
    }
    str_append(&body, begin, (size_t)(end - begin));
    call_reply_text(call, 200, type, &body);
}

/* --- GET /, /console/ --- */

/* One address for one page, so that what it loads by relative paths is found. */
void api_console_moved(struct call *call)
{
    struct str empty;
    str_init(&empty, 0);
    call_location(call, "/console");
    http_exchange_reply(call->x, 302, NULL, &empty);
}

/* --- GET /console --- */

void api_console(struct call *call)
{
    reply(call, "text/html; charset=utf-8", embedded_console_index,
          embedded_console_index_end);
}

/* --- GET /console/{file}, /console/pages/{file} --- */

static void reply_file(struct call *call, const char *folder)
{
    size_t len = strlen(folder);
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        if (strncmp(files[i].path, folder, len) == 0 &&
            slice_eq_str(call->id, files[i].path + len)) {
            reply(call, files[i].type, files[i].begin, files[i].end);
            return;
        }
    call_fail(call, ERR_NOT_FOUND, "the console has no such file: it begins at /console");
}

void api_console_file(struct call *call)
{
    reply_file(call, "");
}

void api_console_page(struct call *call)
{
    reply_file(call, "pages/");
}
