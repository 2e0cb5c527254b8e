/*
 * What the parts of the client have of each other.
 */
#ifndef PORTHOUSE_CLIENT_H
#define PORTHOUSE_CLIENT_H

#include "porthouse.h"

enum {
    /* PORTHOUSE_CONNECT is to be told; then the application dials; then the transport is open. */
    PORTHOUSE_PHASE_DIAL,
    PORTHOUSE_PHASE_DIALLING,
    PORTHOUSE_PHASE_OPEN,
    /* The gateway has said its last word and is to close. */
    PORTHOUSE_PHASE_CLOSING,
    /* PORTHOUSE_ENDED is to be told. */
    PORTHOUSE_PHASE_ENDING,
    /* Until the next try. */
    PORTHOUSE_PHASE_WAITING,
    PORTHOUSE_PHASE_OVER
};

/* The furthest that a clock which wraps is looked ahead. */
#define PORTHOUSE_AHEAD_MS ((uint32_t)1 << 30)

/* connection.c: whether that time has come. */
static inline bool porthouse_is_due(const porthouse_t *client, uint32_t due_ms)
{
    return (int32_t)(client->now_ms - due_ms) >= 0;
}

/* connection.c: the connection ends by that code, and comes back where the code is temporary. */
void porthouse_end(porthouse_t *client, porthouse_code_t code);
/* connection.c: something was proved or entered, so that the next try is a first one. */
void porthouse_established(porthouse_t *client);

/* connection.c: the gateway's last word was said; it is to close. */
void porthouse_last_word(porthouse_t *client, porthouse_code_t code, uint32_t retry_after_ms);
/* connection.c: the events of the connection itself. */
bool porthouse_next_phase(porthouse_t *client, porthouse_event_t *event);

/* heartbeat.c */
void porthouse_heartbeat_start(porthouse_t *client, uint32_t interval_ms);
void porthouse_heard(porthouse_t *client);
uint32_t porthouse_heartbeat_tick(porthouse_t *client);

/* input.c: the next frame of what has come; sets an event where one was skipped. */
bool porthouse_input(porthouse_t *client, porthouse_frame_t *frame, porthouse_event_t *event);

/*
 * A frame's body: a message, which stands in `action` of a Room or LockStep unless that is 0;
 * beside an answer, the lock that it is for.
 */
typedef struct {
    uint32_t kind;
    uint32_t action;
    porthouse_view_t lock;
    const pb_msgdesc_t *type;
    const void *message;
} porthouse_body_t;

/* output.c: puts a frame with an id of its own behind what waits. */
porthouse_code_t porthouse_ask(porthouse_t *client, const porthouse_body_t *body, uint32_t *id);
/* output.c: tells the gateway that its request is of a kind that this side does not know. */
void porthouse_unimplemented(porthouse_t *client, uint32_t id);
/* output.c: what is not used of the buffer. */
porthouse_buffer_t porthouse_free(const porthouse_t *client);

/* greeting.c */
void porthouse_greet(porthouse_t *client);
bool porthouse_welcome(porthouse_t *client, const porthouse_frame_t *frame,
                       porthouse_event_t *event);
void porthouse_resume(porthouse_t *client, const porthouse_frame_t *frame);

/* locks.c */
void porthouse_locks_start(porthouse_t *client, bool give_ahead);
void porthouse_give_ahead(porthouse_t *client);
bool porthouse_lock_step(porthouse_t *client, const porthouse_frame_t *frame,
                         porthouse_event_t *event);
/* locks.c: it is about to prove itself by a signature, so that a place need not ask for another. */
bool porthouse_proving(const porthouse_t *client);
void porthouse_answer_refused(porthouse_t *client, uint32_t id);

/* signing.c: the answer of acceptor ssh-key; false: it cannot be given. */
bool porthouse_sign(porthouse_t *client, const porthouse_Challenge *challenge,
                    uint8_t signature[64]);

/* rooms.c */
void porthouse_rooms_end(porthouse_t *client);
void porthouse_rooms_ask(porthouse_t *client);
bool porthouse_room_frame(porthouse_t *client, const porthouse_frame_t *frame,
                          porthouse_event_t *event);
void porthouse_room_heard(porthouse_t *client, const porthouse_message_t *message);
/* rooms.c: the room whose Join that was is forgotten; its address. */
porthouse_view_t porthouse_room_refused(porthouse_t *client, uint32_t id);

/* messages.c */
bool porthouse_envelope(porthouse_t *client, const porthouse_frame_t *frame,
                        porthouse_event_t *event);
bool porthouse_receipt(porthouse_t *client, const porthouse_frame_t *frame,
                       porthouse_event_t *event);
/* messages.c: whether that is the id of a message whose receipt is to come. */
bool porthouse_awaits_receipt(porthouse_t *client, uint32_t id);
/* messages.c: the next message whose receipt will not come. */
bool porthouse_uncertain(porthouse_t *client, porthouse_event_t *event);

/*
 * next.c: what a Room or LockStep holds: of the fields from number `least` on the last, as of a
 * oneof; number 0: there is none.
 */
bool porthouse_action(porthouse_t *client, porthouse_view_t body, uint32_t least,
                      porthouse_field_t *action);
/* next.c: porthouse_read() of a body; what cannot be read ends the connection. */
bool porthouse_decode(porthouse_t *client, porthouse_view_t bytes, const pb_msgdesc_t *type,
                      void *body);

/*
 * frame.c: the head of the field that begins there, and how many bytes all of it has. 1: read; 0:
 * more bytes are needed; -1: it is none.
 */
int porthouse_field_head(porthouse_view_t bytes, porthouse_field_t *field, uint32_t *total);

#endif
