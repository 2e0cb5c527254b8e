/*
 * A client with buffers, and a gateway of the test's own, which says what it is told to.
 */
#ifndef PEER_H
#define PEER_H

#include "porthouse.h"

typedef struct {
    porthouse_t client;
    porthouse_options_t options;
    porthouse_event_t event;
    uint32_t now_ms;
    uint8_t out[PORTHOUSE_OUT_BYTES];
    uint8_t in[PORTHOUSE_IN_BYTES];
    /* What the gateway says; kept, since events point into it. */
    uint8_t said[4096];
    /* The packet that the client sent last, taken apart. */
    uint8_t sent[4096];
    size_t sent_length;
    porthouse_frame_t frames[16];
    size_t frame_count;
} peer_t;

/* A client that is not connected; its options may be changed until it is. */
void peer_init(peer_t *peer);
/* Dials and opens, and takes the greeting. */
void peer_open(peer_t *peer);
/* And has it welcomed. */
void peer_welcome(peer_t *peer);

/* The next event is of this kind. */
porthouse_event_t *peer_expect(peer_t *peer, porthouse_event_kind_t kind);
/* There is none. */
void peer_quiet(peer_t *peer);
/* The connection ended by this code; whether it comes back. */
bool peer_ended(peer_t *peer, porthouse_code_t code);

/* Takes the client's next packet apart into `frames`; false: there is none. */
bool peer_take(peer_t *peer);
/* The same, which has one frame of this kind with this body. */
const porthouse_frame_t *peer_taken(peer_t *peer, uint32_t kind);

/* The gateway says one frame, in one piece. */
void peer_say(peer_t *peer, const porthouse_Frame *frame);
/* And bytes as they are. */
void peer_say_bytes(peer_t *peer, const void *bytes, size_t length);
/* A packet of one frame, into `bytes`. */
size_t peer_encode(const porthouse_Frame *frame, uint8_t *bytes, size_t size);

#endif
