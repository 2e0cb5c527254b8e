/*
 * The memory of a client. Its members are not part of the interface, but for porthouse_room_t.
 */
#ifndef PORTHOUSE_STATE_H
#define PORTHOUSE_STATE_H

#include "porthouse/code.h"
#include "porthouse/limits.h"
#include "porthouse/options.h"

/* socket:{16 characters} [PH-11.1]. */
#define PORTHOUSE_SOCKET_BYTES 24

/* A place that the client is in or is to be in. */
typedef struct {
    porthouse_view_t address;
    /* Position of the last message heard there, from which a reconnection goes on. */
    uint64_t epoch;
    uint64_t sequence;
    /* The room's number in this connection; 0: not in, or no room. */
    uint32_t route;
    /* Of the Join or Leave that waits for its answer; 0: none. */
    uint32_t id;
    bool may_send : 1;
    bool listening : 1;

    /* As it was joined. */
    bool send_only : 1;
    bool replayed : 1;
    bool presence : 1;
    /* porthouse_since_t of the Join to come. */
    unsigned since : 2;
    bool to_join : 1;
    bool to_leave : 1;
    /* What was before is still coming. */
    bool catching_up : 1;
} porthouse_room_t;

typedef struct {
    const porthouse_options_t *options;
    uint32_t now_ms;

    /* The connection: connection.c. */
    uint8_t phase;
    uint8_t attempt;
    bool greeted : 1;
    bool welcomed : 1;
    bool again : 1;
    porthouse_code_t code;
    uint32_t retry_after_ms;
    uint32_t due_ms;

    /* Signs of life: heartbeat.c. */
    bool beat_due : 1;
    bool beat_unanswered : 1;
    uint32_t heartbeat_ms;
    uint32_t heard_ms;
    uint32_t spoke_ms;

    /* Bounds of this gateway. */
    uint32_t packet_bytes;
    uint32_t packet_frames;
    uint32_t frame_bytes;
    uint32_t payload_bytes;

    /* What waits in options->out, of which the transport is taking so much: output.c. */
    uint32_t out_length;
    uint32_t out_taken;
    uint32_t out_frames;
    uint32_t last_id;

    /* What has come and was not read yet, and what of it is in options->in: input.c. */
    porthouse_view_t input;
    bool input_last;
    uint32_t in_length;
    uint32_t in_skip;

    /* Bits by credential, and the frame of the answer that is on its way: locks.c. */
    uint8_t to_give;
    uint8_t wrong;
    uint8_t answers;
    uint32_t answer_id[3];

    /* For the next connection: greeting.c. */
    uint32_t hello_id;
    bool resuming : 1;
    uint8_t resume_length;
    uint8_t socket_length;
    char resume[PORTHOUSE_RESUME_BYTES];
    char socket[PORTHOUSE_SOCKET_BYTES];
    uint32_t resume_ms;
    uint32_t resume_until_ms;

    uint32_t in_flight[PORTHOUSE_IN_FLIGHT];
    porthouse_room_t rooms[PORTHOUSE_ROOMS];
} porthouse_t;

#endif
