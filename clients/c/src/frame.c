/*
 * The walk over bytes in Protobuf's wire format.
 */
#include "porthouse/frame.h"

#include "client.h"

enum { VARINT_BYTES_MAX = 10 };

static int read_varint(porthouse_view_t *rest, uint64_t *value)
{
    *value = 0;
    for (unsigned i = 0; i < VARINT_BYTES_MAX; i++) {
        if (rest->length == 0) return 0;
        const uint8_t byte = *rest->data++;
        rest->length--;
        *value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) return 1;
    }
    return -1;
}

int porthouse_field_head(porthouse_view_t bytes, porthouse_field_t *field, uint32_t *total)
{
    porthouse_view_t rest = bytes;
    uint64_t tag;
    uint64_t length = 0;
    int known = read_varint(&rest, &tag);
    if (known <= 0) return known;
    if (tag < 8 || tag > UINT32_MAX) return -1;
    field->number = (uint32_t)tag >> 3;
    field->wire = tag & 7;
    switch (field->wire) {
    case PB_WT_VARINT:
        known = read_varint(&rest, &field->value);
        break;
    case PB_WT_64BIT:
        length = 8;
        break;
    case PB_WT_STRING:
        known = read_varint(&rest, &length);
        break;
    case PB_WT_32BIT:
        length = 4;
        break;
    default:
        return -1;
    }
    if (known <= 0) return known;
    if (length > INT32_MAX) return -1;
    field->bytes.data = rest.data;
    field->bytes.length = (size_t)length;
    *total = (uint32_t)(bytes.length - rest.length + length);
    return 1;
}

bool porthouse_field(porthouse_view_t *rest, porthouse_field_t *field)
{
    uint32_t total;
    if (porthouse_field_head(*rest, field, &total) != 1 || total > rest->length) return false;
    rest->data += total;
    rest->length -= total;
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
            /* Of two, nobody knows which is meant [PH-2.5]; what is newer is none [PH-2.7]. */
            const bool is_known = field.number <= porthouse_Frame_resume_tag;
            const bool has_known = frame->kind != 0 && frame->kind <= porthouse_Frame_resume_tag;
            if (is_known && has_known) return false;
            if (has_known) continue;
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
        if (field.number == porthouse_Packet_frames_tag) {
            memset(frame, 0, sizeof *frame);
            if (field.wire != PB_WT_STRING || !read_body(field.bytes, frame)) return false;
            frame->packet.data = packet->data;
            frame->packet.length = packet->length - rest.length;
            *packet = rest;
            return true;
        }
        *packet = rest;
    }
    return false;
}
