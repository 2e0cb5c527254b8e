/*
 * What the client tells. Structs named porthouse_Welcome and the like are those of
 * proto/porthouse/v1, whose comments are the contract.
 */
#ifndef PORTHOUSE_EVENT_H
#define PORTHOUSE_EVENT_H

#include "porthouse/code.h"
#include "porthouse/v1/envelope.pb.h"
#include "porthouse/v1/frame.pb.h"
#include "porthouse/v1/lock_step.pb.h"
#include "porthouse/v1/receipt.pb.h"
#include "porthouse/v1/room.pb.h"
#include "porthouse/view.h"

typedef enum {
    /* Open the transport; then call porthouse_opened(), or porthouse_closed() if that failed. */
    PORTHOUSE_CONNECT = 1,
    /* as.welcome: the gateway has answered. */
    PORTHOUSE_WELCOME,
    /* as.challenge: a lock asks; `answered` says whether the client has answered by itself. */
    PORTHOUSE_CHALLENGE,
    /* as.verdict: what a lock says to an answer, or without one. */
    PORTHOUSE_VERDICT,
    /* as.joined: a room is entered, or its rights have changed. */
    PORTHOUSE_JOINED,
    /* as.left: a room, channel or group is left; `code` says why, if not because it was asked. */
    PORTHOUSE_LEFT,
    /* as.lost: messages of a room will not come; `code` says why. */
    PORTHOUSE_LOST,
    /* as.caught_up: what came before in a room has come; what follows is live. */
    PORTHOUSE_CAUGHT_UP,
    /* as.message: a message. */
    PORTHOUSE_MESSAGE,
    /*
     * as.receipt: what became of the message `id`. Where the connection ended before it came, its
     * status is 0 and `code` UNCERTAIN: sent again under the same key it is sent once.
     */
    PORTHOUSE_RECEIPT,
    /*
     * as.drop: the request `id` is refused by `code`. `address` is what was to be joined, if it was
     * that; it is not tried again.
     */
    PORTHOUSE_REFUSED,
    /* as.drop: the gateway ends the connection by `code`. PORTHOUSE_ENDED follows. */
    PORTHOUSE_DROP,
    /* Another frame: `kind` and `body` are its own, to be decoded by the generated messages. */
    PORTHOUSE_FRAME,
    /* A frame of `length` bytes was larger than the buffer for it and is not read. */
    PORTHOUSE_SKIPPED,
    /*
     * as.ended: the connection is over, by `code` (0: as was asked). Close the transport if it is
     * open. `again`: PORTHOUSE_CONNECT follows after `delay_ms`; else nothing does.
     */
    PORTHOUSE_ENDED
} porthouse_event_kind_t;

/* A message heard. */
typedef struct {
    /* 16 bytes: a UUIDv7, which an administrator can ask about. */
    porthouse_view_t id;
    /* Whom an answer reaches: client:…, token:…/n or socket:…. */
    porthouse_view_t from;
    /* The address that it was sent to, where that is no room. */
    porthouse_view_t target;
    /* The room's number in this connection, as in porthouse_room_t; 0: a direct message. */
    uint32_t route;
    /* The channel of the room; empty: the room itself. */
    porthouse_view_t channel;
    uint64_t epoch;
    uint64_t sequence;
    uint64_t time_ms;
    /* Why it comes now: 0, it is live. */
    porthouse_Replay replay;

    porthouse_view_t content;
    /* `content` is text: UTF-8, as far as the gateway looks at it [PH-2.8]. */
    bool is_text;
    porthouse_view_t content_type;
    porthouse_view_t reply_to;
    porthouse_view_t correlation_id;
    uint32_t expires_after;
} porthouse_message_t;

typedef struct {
    porthouse_event_kind_t kind;
    /* The frame's; 0: a push, or no frame. */
    uint32_t id;
    porthouse_code_t code;
    /* The frame's body as it came, for what the struct below leaves out: see porthouse_field(). */
    porthouse_view_t body;
    union {
        porthouse_Welcome welcome;
        struct {
            porthouse_view_t lock;
            porthouse_Challenge asks;
            bool answered;
        } challenge;
        struct {
            porthouse_view_t lock;
            porthouse_Verdict says;
        } verdict;
        porthouse_Joined joined;
        porthouse_Left left;
        porthouse_Lost lost;
        porthouse_CaughtUp caught_up;
        porthouse_message_t message;
        porthouse_Receipt receipt;
        struct {
            porthouse_view_t address;
            porthouse_view_t detail;
            uint32_t retry_after_ms;
        } drop;
        struct {
            /* Number of the body in Frame, as porthouse_Frame_command_tag. */
            uint32_t kind;
        } frame;
        struct {
            uint32_t length;
        } skipped;
        struct {
            bool again;
            uint32_t delay_ms;
        } ended;
    } as;
} porthouse_event_t;

#endif
