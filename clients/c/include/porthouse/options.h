/*
 * Who the client is, what it has to work with, and how patient it is.
 */
#ifndef PORTHOUSE_OPTIONS_H
#define PORTHOUSE_OPTIONS_H

#include "porthouse/view.h"

typedef enum {
    PORTHOUSE_WEBSOCKET,
    /*
     * MQTT keeps itself alive and has receipts of its own, so there are no heartbeats, no Hello and
     * no resume token, and messages are published by the binding, not by porthouse_send().
     */
    PORTHOUSE_MQTT
} porthouse_transport_t;

/* Memory of the application's. */
typedef struct {
    uint8_t *data;
    size_t size;
} porthouse_buffer_t;

typedef struct {
    porthouse_transport_t transport;

    /* What waits to be sent; see PORTHOUSE_OUT_BYTES. What does not fit is QUEUE_FULL. */
    porthouse_buffer_t out;
    /*
     * A frame that comes in pieces; see PORTHOUSE_IN_BYTES. May be empty where the transport hands
     * over whole packets.
     */
    porthouse_buffer_t in;

    /* Any 32 bits, for the jitter of reconnections. NULL: without jitter. */
    uint32_t (*random)(void *context);
    /*
     * Signs by plain Ed25519; `message` and `signature` do not overlap. False: it cannot. NULL:
     * acceptor `ssh-key` is not answered.
     */
    bool (*sign)(void *context, const uint8_t *message, size_t length, uint8_t signature[64]);
    /* Given to both. */
    void *context;

    /*
     * What it has to answer locks with; what is empty is not there. Those that nobody has to ask
     * for are given ahead, with the first packet, unless `wait_for_challenge`.
     */
    porthouse_view_t token;
    porthouse_view_t preset;
    /* For whom it signs, as `client:acme/pump`, and the origin dialled: `https://hub.example`. */
    porthouse_view_t client;
    porthouse_view_t gateway;
    bool wait_for_challenge;
    /* The URL names a room, which is entered without a Join [PH-1.7]. */
    bool url_names_place;
    /*
     * The application answers what these do not, by porthouse_answer(). Where it is false such a
     * challenge, and a wrong answer, end the client with UNAUTHENTICATED.
     */
    bool answers_by_hand;

    /* Name and version of the firmware, for the gateway's log. Empty: the name of this library. */
    porthouse_view_t agent;
    /* Ask for the events of docs/protocol.md section 14; they come as PORTHOUSE_FRAME. */
    bool events;

    /* For opening, and for the gateway's first word. 0: 10,000. */
    uint32_t timeout_ms;
    /* The bounds of the first wait before another connection and of any. 0: 250, and 20,000. */
    uint32_t backoff_ms;
    uint32_t backoff_ms_max;
} porthouse_options_t;

#endif
