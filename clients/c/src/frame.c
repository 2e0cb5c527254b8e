/*
 * The walk over bytes in Protobuf's wire format.
 */
#include "porthouse/frame.h"

#include <pb_decode.h>

#include "porthouse/v1/frame.pb.h"

/* Takes `length` bytes off the stream, where they are. */
static bool take(pb_istream_t *in, uint64_t length, porthouse_view_t *bytes)
{
    if (length > in->bytes_left) return false;
    bytes->data = (const uint8_t *)in->state;
    bytes->length = (size_t)length;
    return pb_read(in, NULL, bytes->length);
}

bool porthouse_field(porthouse_view_t *rest, porthouse_field_t *field)
{
    pb_istream_t in = pb_istream_from_buffer(rest->data, rest->length);
    pb_wire_type_t wire;
    bool eof;
    uint32_t length;
    if (!pb_decode_tag(&in, &wire, &field->number, &eof) || field->number == 0) return false;
    field->wire = (uint8_t)wire;
    switch (wire) {
    case PB_WT_VARINT:
        if (!pb_decode_varint(&in, &field->value)) return false;
        break;
    case PB_WT_64BIT:
        if (!take(&in, 8, &field->bytes)) return false;
        break;
    case PB_WT_STRING:
        if (!pb_decode_varint32(&in, &length) || !take(&in, length, &field->bytes)) return false;
        break;
    case PB_WT_32BIT:
        if (!take(&in, 4, &field->bytes)) return false;
        break;
    default:
        return false;
    }
    rest->data = (const uint8_t *)in.state;
    rest->length = in.bytes_left;
    return true;
}

/* Every known body is a message; what a newer gateway may put beside it is passed over. */
static bool read_body(porthouse_view_t bytes, porthouse_frame_t *frame)
{
    porthouse_field_t field;
    while (porthouse_field(&bytes, &field)) {
        if (field.number == porthouse_Frame_id_tag) {
            if (field.wire != PB_WT_VARINT || field.value > UINT32_MAX) return false;
            frame->id = (uint32_t)field.value;
        } else if (field.wire == PB_WT_STRING) {
            /* Of two, nobody knows which is meant [PH-2.5]. */
            if (frame->kind != 0) return false;
            frame->kind = field.number;
            frame->body = field.bytes;
        } else if (field.number <= porthouse_Frame_resume_tag) {
            return false;
        }
    }
    return bytes.length == 0;
}

bool porthouse_frame(porthouse_view_t *packet, porthouse_frame_t *frame)
{
    porthouse_view_t rest = *packet;
    porthouse_field_t field;
    while (porthouse_field(&rest, &field)) {
        const uint8_t *start = packet->data;
        if (field.number == porthouse_Packet_frames_tag) {
            memset(frame, 0, sizeof *frame);
            if (field.wire != PB_WT_STRING || !read_body(field.bytes, frame)) return false;
            frame->packet.data = start;
            frame->packet.length = (size_t)(rest.data - start);
            *packet = rest;
            return true;
        }
        *packet = rest;
    }
    return false;
}
