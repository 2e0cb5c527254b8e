/*
 * Frames out of bytes that come in any pieces. A frame that is there as a whole is read where it
 * is; one in pieces is gathered in options->in; one that is larger than that is passed over.
 */
#include <string.h>

#include "client.h"

static void advance(porthouse_t *client, size_t length)
{
    client->input.data += length;
    client->input.length -= length;
}

static void gather(porthouse_t *client, size_t length)
{
    memcpy(client->options->in.data + client->in_length, client->input.data, length);
    client->in_length += (uint32_t)length;
    advance(client, length);
}

/* More of the field that is being gathered, or passed over; its bytes once it is whole. */
static bool next_field(porthouse_t *client, porthouse_view_t *field, porthouse_event_t *event)
{
    const porthouse_buffer_t in = client->options->in;
    porthouse_field_t head;
    while (client->input.length > 0) {
        size_t left = client->input.length;
        if (client->in_skip > 0) {
            if (left > client->in_skip) left = client->in_skip;
            advance(client, left);
            client->in_skip -= (uint32_t)left;
            continue;
        }
        const bool here = client->in_length == 0;
        uint32_t total = 0;
        const porthouse_view_t gathered = {in.data, client->in_length};
        const int known = porthouse_field_head(here ? client->input : gathered, &head, &total);
        if (known < 0) {
            porthouse_end(client, PORTHOUSE_MALFORMED_PACKET);
            return false;
        }
        if (known == 0 && client->in_length == in.size) {
            porthouse_end(client, PORTHOUSE_FRAME_TOO_LARGE);
            return false;
        }
        if (known == 0) {
            gather(client, 1);
            continue;
        }
        if (here && total <= left) {
            field->data = client->input.data;
            field->length = total;
            advance(client, total);
            return true;
        }
        if (total > in.size) {
            client->in_skip = total - client->in_length;
            client->in_length = 0;
            event->kind = PORTHOUSE_SKIPPED;
            event->code = PORTHOUSE_FRAME_TOO_LARGE;
            /* Without its first word nothing can go on, and the next one would be as large. */
            if (!client->welcomed) porthouse_end(client, event->code);
            event->as.skipped.length = total;
            return false;
        }
        const size_t missing = total - client->in_length;
        gather(client, left < missing ? left : missing);
        if (client->in_length == total) {
            field->data = in.data;
            field->length = total;
            client->in_length = 0;
            return true;
        }
    }
    return false;
}

bool porthouse_input(porthouse_t *client, porthouse_frame_t *frame, porthouse_event_t *event)
{
    porthouse_view_t field;
    while (next_field(client, &field, event)) {
        if (porthouse_frame(&field, frame)) return true;
        /* What is no frame is from a newer gateway, if it can be read at all. */
        if (field.length > 0) {
            porthouse_end(client, PORTHOUSE_MALFORMED_PACKET);
            return false;
        }
    }
    const bool is_over = client->input.length == 0 && client->input_last;
    if (is_over && client->in_length + client->in_skip > 0) {
        porthouse_end(client, PORTHOUSE_MALFORMED_PACKET);
    }
    return false;
}
