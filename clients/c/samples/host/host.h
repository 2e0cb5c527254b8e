/*
 * What the samples for WebSocket stand on: one thread that connects by TCP, has its frames made by
 * wslay, and waits by poll(). A firmware has its own of each; the calls of the core are the same.
 */
#ifndef HOST_H
#define HOST_H

#include <porthouse.h>
#include <stdio.h>

#include "input.h"
#include "websocket.h"
#include "words.h"

/* The largest frame that is heard or said: a message of 64 KiB with what is around it. */
#define HOST_FRAME_BYTES (66 * 1024)

typedef struct host host_t;

/* A sample. */
typedef struct {
    /* Sees each event. */
    void (*on_event)(host_t *host, const porthouse_event_t *event);
    /*
     * Gets each line of stdin, and NULL at its end. False: not now; it is asked again when
     * something has happened. NULL: stdin is not read.
     */
    bool (*on_line)(host_t *host, const porthouse_view_t *line);
    /* Called each `interval_ms`; NULL: never. */
    void (*on_time)(host_t *host);
    uint32_t interval_ms;
    /* What of the room's history is to come. */
    porthouse_since_t since;
} host_program_t;

struct host {
    porthouse_t client;
    porthouse_options_t options;
    /* Of the room, with its `room:`. */
    porthouse_view_t address;

    /* All that follows is host.c's own. */
    const host_program_t *program;
    porthouse_websocket_url_t url;
    websocket_t websocket;
    input_t input;
    bool input_over;
    uint32_t due_ms;
    bool is_open;
    uint32_t opened_ms;
    bool to_close;
    uint16_t status;
    /* Connections that opened and did not last, in a row. */
    int short_lived;
    bool was_in;
    bool over;
    /* Of the failure that ends the program, or why a connection was refused. */
    porthouse_code_t code;
    porthouse_code_t refused;
    char address_text[600];
    uint8_t out[HOST_FRAME_BYTES];
    uint8_t in[HOST_FRAME_BYTES];
};

/*
 * Prepares for the URL of a gateway, and a room to join, or NULL. What `options` say may be changed
 * then. False: no such URL, which stderr says.
 */
bool host_init(host_t *host, const char *url, const char *address, const char *token);

/* Runs until the client was closed, or failed. Gives the exit code of the program. */
int host_run(host_t *host, const host_program_t *program);

/* Leaves because of a code, whose name goes to stderr. PORTHOUSE_OK is no failure. */
void host_check(host_t *host, porthouse_code_t code);

#endif
