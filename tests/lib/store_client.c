/* store_client.c - see store_client.h. */
#include "tests/lib/store_client.h"

#include <stdio.h>
#include <string.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/crc32c.h"

static void on_message(struct message *message, void *arg)
{
    struct store_request *request = CONTAINER_OF(message, struct store_request, message);
    (void)arg;
    ASSERT(message->type == STORE_REPLY);
    request->done(request);
}

static void on_done(struct store_request *request)
{
    struct store_client *client = request->arg;
    client->in_flight--;
}

int store_client_open(struct store_client *client, const struct store_options *options,
                      struct err *err)
{
    memset(client, 0, sizeof(*client));
    int code = store_open(options, &client->store, err);
    if (code != 0)
        return code;
    client->loop = loop_new();
    mailbox_init(&client->mailbox, client->loop, on_message, client);
    return 0;
}

void store_client_close(struct store_client *client)
{
    store_client_wait(client, 0);
    store_close(client->store);
    mailbox_fini(&client->mailbox);
    loop_free(client->loop);
}

void store_client_request(struct store_request *request, enum store_kind kind,
                          const char *key, int64_t timeout_ms)
{
    memset(request, 0, sizeof(*request));
    request->kind = kind;
    snprintf(request->key, sizeof(request->key), "%s", key);
    request->deadline_at_ms = clock_monotonic_ms() + timeout_ms;
}

void store_client_pieces(struct store_request *request, const struct slice *pieces,
                         size_t count)
{
    request->pieces = pieces;
    request->piece_count = count;
    request->crc = 0;
    for (size_t i = 0; i < count; i++)
        request->crc = crc32c_extend(request->crc, pieces[i].ptr, pieces[i].len);
}

void store_client_send(struct store_client *client, struct store_request *request)
{
    request->reply_to = &client->mailbox;
    request->done = on_done;
    request->arg = client;
    client->in_flight++;
    store_send(client->store, request);
}

void store_client_wait(struct store_client *client, unsigned max_left)
{
    while (client->in_flight > max_left)
        loop_run_once(client->loop, 1000);
}

int store_client_run(struct store_client *client, struct store_request *request)
{
    store_client_send(client, request);
    store_client_wait(client, 0);
    return request->err.code;
}

void store_client_drop(struct store_request *request)
{
    blob_unref(request->blob);
    request->blob = NULL;
    for (size_t i = 0; i < request->key_count; i++)
        mem_free(request->keys[i]);
    mem_free(request->keys);
    mem_free(request->sizes);
    mem_free(request->modified_ms);
    request->keys = NULL;
    request->sizes = NULL;
    request->modified_ms = NULL;
    request->key_count = 0;
}
