/*
 * Frames behind each other in the application's buffer: joined they are one packet [PH-2.2].
 */
#include <pb_encode.h>
#include <string.h>

#include "client.h"

porthouse_buffer_t porthouse_free(const porthouse_t *client)
{
    porthouse_buffer_t left = client->options->out;
    left.data += client->out_length;
    left.size -= client->out_length;
    return left;
}

static uint32_t varint_length(uint32_t value)
{
    uint32_t length = 1;
    while (value >= 0x80) {
        value >>= 7;
        length++;
    }
    return length;
}

/* Bounds of the gateway, which are known once it has welcomed the client; 0: not told. */
static porthouse_code_t check(const porthouse_t *client, uint32_t frame, uint32_t total)
{
    const uint32_t packet = client->out_length - client->out_taken + total;
    if (client->frame_bytes != 0 && frame > client->frame_bytes) {
        return PORTHOUSE_FRAME_TOO_LARGE;
    }
    if (total > client->options->out.size) return PORTHOUSE_FRAME_TOO_LARGE;
    if (client->packet_bytes != 0 && packet > client->packet_bytes) return PORTHOUSE_QUEUE_FULL;
    if (client->packet_frames != 0 && client->out_frames >= client->packet_frames) {
        return PORTHOUSE_QUEUE_FULL;
    }
    return total > porthouse_free(client).size ? PORTHOUSE_QUEUE_FULL : PORTHOUSE_OK;
}

/* Its length as Protobuf has it: a tag below 16, a varint, the bytes. */
static uint32_t field_length(uint32_t length)
{
    return 1 + varint_length(length) + length;
}

static bool write_head(pb_ostream_t *out, uint32_t number, uint32_t length)
{
    return pb_encode_tag(out, PB_WT_STRING, number) && pb_encode_varint(out, length);
}

/* The message, and what it stands in: a Room or LockStep, the Frame, the Packet. */
static bool write_frame(pb_ostream_t *out, uint32_t id, const porthouse_body_t *body,
                        const uint32_t lengths[3])
{
    const porthouse_view_t lock = body->lock;
    if (!write_head(out, porthouse_Packet_frames_tag, lengths[0]) ||
        !pb_encode_tag(out, PB_WT_VARINT, porthouse_Frame_id_tag) || !pb_encode_varint(out, id) ||
        !write_head(out, body->kind, lengths[1])) {
        return false;
    }
    if (lock.length > 0 && !(pb_encode_tag(out, PB_WT_STRING, porthouse_LockStep_lock_tag) &&
                             pb_encode_string(out, lock.data, lock.length))) {
        return false;
    }
    if (body->action != 0 && !write_head(out, body->action, lengths[2])) return false;
    return pb_encode(out, body->type, body->message);
}

static porthouse_code_t queue(porthouse_t *client, uint32_t id, const porthouse_body_t *body)
{
    size_t size;
    uint32_t lengths[3];
    if (client->phase != PORTHOUSE_PHASE_OPEN) return PORTHOUSE_UNAVAILABLE;
    if (!pb_get_encoded_size(&size, body->type, body->message)) return PORTHOUSE_INTERNAL;
    size += body->lock.length;
    if (size > INT32_MAX / 2) return PORTHOUSE_FRAME_TOO_LARGE;
    lengths[2] = (uint32_t)(size - body->lock.length);
    lengths[1] = body->action != 0 ? field_length(lengths[2]) : lengths[2];
    if (body->lock.length > 0) lengths[1] += field_length((uint32_t)body->lock.length);
    lengths[0] = 1 + varint_length(id) + field_length(lengths[1]);
    const uint32_t total = field_length(lengths[0]);
    const porthouse_code_t code = check(client, lengths[0], total);
    if (code != PORTHOUSE_OK) return code;

    const porthouse_buffer_t left = porthouse_free(client);
    pb_ostream_t out = pb_ostream_from_buffer(left.data, left.size);
    if (!write_frame(&out, id, body, lengths)) return PORTHOUSE_INTERNAL;
    client->out_length += total;
    client->out_frames++;
    return PORTHOUSE_OK;
}

porthouse_code_t porthouse_ask(porthouse_t *client, const porthouse_body_t *body, uint32_t *id)
{
    const uint32_t next = client->last_id == UINT32_MAX ? 1 : client->last_id + 1;
    const porthouse_code_t code = queue(client, next, body);
    if (code != PORTHOUSE_OK) return code;
    client->last_id = next;
    if (id) *id = next;
    return PORTHOUSE_OK;
}

porthouse_code_t porthouse_request(porthouse_t *client, uint32_t kind, const pb_msgdesc_t *type,
                                   const void *message, uint32_t *id)
{
    const porthouse_body_t body = {kind, 0, {NULL, 0}, type, message};
    return porthouse_ask(client, &body, id);
}

void porthouse_unimplemented(porthouse_t *client, uint32_t id)
{
    porthouse_Drop drop = porthouse_Drop_init_zero;
    const porthouse_body_t body = {
        porthouse_Frame_drop_tag, 0, {NULL, 0}, &porthouse_Drop_msg, &drop};
    if (id == 0) return;
    drop.code = porthouse_Code_CODE_UNIMPLEMENTED;
    /* Where there is no place for it, a gateway that asks what nobody knows goes without. */
    (void)queue(client, id, &body);
}

bool porthouse_output(porthouse_t *client, porthouse_view_t *packet)
{
    if (client->phase != PORTHOUSE_PHASE_OPEN) return false;
    /* A second packet before Welcome would spend the resume token [PH-4.7]. */
    if (client->greeted && !client->welcomed) return false;
    if (client->out_taken == 0) {
        porthouse_greet(client);
        client->out_taken = client->out_length;
        client->out_frames = 0;
    }
    packet->data = client->options->out.data;
    packet->length = client->out_taken;
    return client->out_taken > 0 || client->beat_due;
}

void porthouse_sent(porthouse_t *client)
{
    uint8_t *const data = client->options->out.data;
    if (client->out_taken == 0) client->beat_due = false;
    else client->greeted = true;
    client->out_length -= client->out_taken;
    memmove(data, data + client->out_taken, client->out_length);
    client->out_taken = 0;
    client->spoke_ms = client->now_ms;
}
