/*
 * A client on stdin and stdout, each packet with its length in two bytes before it, whose key is
 * held by somebody else: what is to be signed goes to descriptor 3 likewise, and 64 bytes come
 * back on descriptor 4. Its arguments: the room's address, the client's, the gateway's URL.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "porthouse.h"

enum { IN, OUT, ASKED = 3, SIGNED };

static void read_all(int from, uint8_t *bytes, size_t length)
{
    while (length > 0) {
        const ssize_t got = read(from, bytes, length);
        if (got <= 0) exit(2);
        bytes += got;
        length -= (size_t)got;
    }
}

static void write_all(int to, const uint8_t *bytes, size_t length)
{
    const uint8_t head[] = {(uint8_t)(length >> 8), (uint8_t)length};
    if (write(to, head, sizeof head) != sizeof head) exit(2);
    while (length > 0) {
        const ssize_t put = write(to, bytes, length);
        if (put <= 0) exit(2);
        bytes += put;
        length -= (size_t)put;
    }
}

static bool sign(void *context, const uint8_t *message, size_t length, uint8_t signature[64])
{
    (void)context;
    write_all(ASKED, message, length);
    read_all(SIGNED, signature, 64);
    return true;
}

/* Ends in the room, or with the code by which it is not. */
static void handle(porthouse_t *client, const porthouse_event_t *event)
{
    if (event->kind == PORTHOUSE_CONNECT) porthouse_opened(client, 0);
    if (event->kind == PORTHOUSE_CHALLENGE) {
        fprintf(stderr, "asked at depth %u\n", (unsigned)event->as.challenge.asks.depth);
    }
    if (event->kind == PORTHOUSE_JOINED) fprintf(stderr, "in\n");
    if (event->kind == PORTHOUSE_ENDED) fprintf(stderr, "%s\n", porthouse_code_name(event->code));
    if (event->kind == PORTHOUSE_JOINED || event->kind == PORTHOUSE_ENDED) {
        exit(event->kind == PORTHOUSE_JOINED ? 0 : 1);
    }
}

static void say(porthouse_t *client)
{
    porthouse_view_t packet;
    while (porthouse_output(client, &packet)) {
        write_all(OUT, packet.data, packet.length);
        porthouse_sent(client);
    }
}

int main(int argc, char **argv)
{
    static uint8_t out[PORTHOUSE_OUT_BYTES];
    static uint8_t packet[1 << 16];
    static porthouse_t client;
    porthouse_options_t options = {.out = {out, sizeof out}, .sign = sign};
    porthouse_join_t join = {.send_only = false};
    porthouse_event_t event;
    if (argc != 4) return 2;
    join.address = porthouse_view(argv[1]);
    options.client = porthouse_view(argv[2]);
    options.gateway = porthouse_view(argv[3]);
    porthouse_init(&client, &options);
    if (porthouse_join(&client, &join) != PORTHOUSE_OK) return 2;
    for (;;) {
        uint8_t head[2];
        while (porthouse_next(&client, &event)) handle(&client, &event);
        say(&client);
        read_all(IN, head, sizeof head);
        const size_t length = (size_t)head[0] << 8 | head[1];
        read_all(IN, packet, length);
        if (!porthouse_received(&client, 0, packet, length, true)) return 2;
    }
}
