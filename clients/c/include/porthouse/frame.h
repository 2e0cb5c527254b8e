/*
 * Packets taken apart: bytes are walked in place and nothing is copied. For bindings, and for what
 * is in an event's body beyond its struct.
 */
#ifndef PORTHOUSE_FRAME_H
#define PORTHOUSE_FRAME_H

#include "porthouse/view.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One field of any message, as it stands in the bytes. */
typedef struct {
    uint32_t number;
    /* As in Protobuf: 0 a varint, 1 eight bytes, 2 a length and so many bytes, 5 four bytes. */
    uint8_t wire;
    /* Of wire 0. */
    uint64_t value;
    /* Of wires 1, 2 and 5. */
    porthouse_view_t bytes;
} porthouse_field_t;

/*
 * Takes the first field off `rest`. False at the end, and where what is left is no field: then
 * rest->length is not 0.
 */
bool porthouse_field(porthouse_view_t *rest, porthouse_field_t *field);

/* One frame of a packet. */
typedef struct {
    uint32_t id;
    /* Number of its body in Frame, as porthouse_Frame_room_tag; 0: none. */
    uint32_t kind;
    /* The body's own bytes. */
    porthouse_view_t body;
    /* All of it with its head: a packet of this frame alone. */
    porthouse_view_t packet;
} porthouse_frame_t;

/* Takes the first frame off a packet; false as porthouse_field(). */
bool porthouse_frame(porthouse_view_t *packet, porthouse_frame_t *frame);

/*
 * Reads a message into its struct, which was zeroed before, as porthouse_read(event.body,
 * &porthouse_Command_msg, &command). The struct's views point into `bytes`. False: they are not
 * that message.
 */
bool porthouse_read(porthouse_view_t bytes, const pb_msgdesc_t *type, void *message);

#ifdef __cplusplus
}
#endif

#endif
