/*
 * The memory of a client. Its members are not part of the interface, but for porthouse_room_t.
 */
#ifndef PORTHOUSE_STATE_H
#define PORTHOUSE_STATE_H

#include "porthouse/code.h"
#include "porthouse/limits.h"
#include "porthouse/options.h"

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

    bool send_only : 1;
    bool replayed : 1;
    bool presence : 1;
    bool to_join : 1;
    bool to_leave : 1;
    bool positioned : 1;
    uint8_t since;
} porthouse_room_t;

typedef struct {
    const porthouse_options_t *options;
    uint32_t now_ms;
    uint32_t due_ms;

    uint8_t phase;
    uint8_t attempt;
    /* Bits of porthouse_credential_t: given ahead or answered, and found wrong. */
    uint8_t to_give;
    uint8_t wrong;
    bool welcomed : 1;
    bool greeted : 1;
    bool beat_due : 1;
    bool beat_out : 1;
    bool asked : 1;
    bool resuming : 1;
    bool again : 1;
    porthouse_code_t code;
    uint32_t retry_after_ms;
    uint32_t heard_ms;
    uint32_t spoke_ms;
    uint32_t heartbeat_ms;

    /* Bounds of this gateway. */
    uint32_t packet_bytes;
    uint32_t packet_frames;
    uint32_t frame_bytes;
    uint32_t payload_bytes;

    /* What waits to be sent: `out_length` bytes of options->out, in `out_frames` frames. */
    uint32_t out_length;
    uint16_t out_frames;
    uint16_t out_taken;
    uint32_t last_id;
    uint32_t hello_id;
    uint32_t answer_id[3];
    uint32_t in_flight[PORTHOUSE_IN_FLIGHT];

    /* What has come and was not read yet. */
    porthouse_view_t input;
    bool input_last;
    uint8_t in_step;
    uint8_t varint_bytes;
    uint32_t in_expected;
    uint32_t in_length;

    char socket[24];
    char resume[PORTHOUSE_RESUME_BYTES];
    uint8_t socket_length;
    uint8_t resume_length;
    uint32_t resume_until_ms;

    porthouse_room_t rooms[PORTHOUSE_ROOMS];
} porthouse_t;

#endif
