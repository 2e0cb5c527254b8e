/*
 * One frame after the other, each to the part that it is for.
 */
#include <string.h>

#include "client.h"

bool porthouse_action(porthouse_t *client, porthouse_view_t body, uint32_t least,
                      porthouse_field_t *action)
{
    porthouse_field_t field;
    memset(action, 0, sizeof *action);
    while (porthouse_field(&body, &field)) {
        if (field.wire == PB_WT_STRING && field.number >= least) *action = field;
    }
    if (body.length == 0) return true;
    porthouse_end(client, PORTHOUSE_MALFORMED_PACKET);
    return false;
}

bool porthouse_decode(porthouse_t *client, porthouse_view_t bytes, const pb_msgdesc_t *type,
                      void *body)
{
    if (porthouse_read(bytes, type, body)) return true;
    porthouse_end(client, PORTHOUSE_MALFORMED_PACKET);
    return false;
}

/* With id 0 the connection ends by it, else that request is refused [PH-9.2, PH-9.5]. */
static bool read_drop(porthouse_t *client, const porthouse_frame_t *frame,
                      porthouse_event_t *event)
{
    porthouse_Drop drop = porthouse_Drop_init_zero;
    if (!porthouse_decode(client, frame->body, &porthouse_Drop_msg, &drop)) return false;
    event->kind = frame->id == 0 ? PORTHOUSE_DROP : PORTHOUSE_REFUSED;
    event->code = (porthouse_code_t)drop.code;
    event->as.drop.detail = drop.detail;
    event->as.drop.retry_after_ms = drop.retry_after_ms;
    if (frame->id == 0) {
        porthouse_last_word(client, event->code, drop.retry_after_ms);
    } else {
        porthouse_answer_refused(client, frame->id);
        event->as.drop.address = porthouse_room_refused(client, frame->id);
    }
    return true;
}

static bool read_frame(porthouse_t *client, const porthouse_frame_t *frame,
                       porthouse_event_t *event)
{
    event->id = frame->id;
    event->body = frame->body;
    if (porthouse_awaits_receipt(client, frame->id) && frame->kind != porthouse_Frame_receipt_tag &&
        frame->kind != porthouse_Frame_drop_tag) {
        porthouse_end(client, PORTHOUSE_FRAME_NOT_ALLOWED);
        return false;
    }
    switch (frame->kind) {
    case porthouse_Frame_hello_tag:
        porthouse_end(client, PORTHOUSE_FRAME_NOT_ALLOWED);
        return false;
    case porthouse_Frame_welcome_tag:
        return porthouse_welcome(client, frame, event);
    case porthouse_Frame_lock_step_tag:
        return porthouse_lock_step(client, frame, event);
    case porthouse_Frame_envelope_tag:
        return porthouse_envelope(client, frame, event);
    case porthouse_Frame_receipt_tag:
        return porthouse_receipt(client, frame, event);
    case porthouse_Frame_room_tag:
        return porthouse_room_frame(client, frame, event);
    case porthouse_Frame_drop_tag:
        return read_drop(client, frame, event);
    case porthouse_Frame_resume_tag:
        porthouse_resume(client, frame);
        return false;
    case porthouse_Frame_command_tag:
    case porthouse_Frame_event_tag:
        event->kind = PORTHOUSE_FRAME;
        event->as.frame.kind = frame->kind;
        return true;
    default:
        porthouse_unimplemented(client, frame->id);
        return false;
    }
}

bool porthouse_next(porthouse_t *client, porthouse_event_t *event)
{
    porthouse_frame_t frame;
    for (;;) {
        memset(event, 0, sizeof *event);
        if (client->phase != PORTHOUSE_PHASE_OPEN) return porthouse_next_phase(client, event);
        if (porthouse_input(client, &frame, event)) {
            if (read_frame(client, &frame, event)) return true;
        } else if (event->kind != 0) {
            return true;
        } else if (client->phase == PORTHOUSE_PHASE_OPEN) {
            return false;
        }
    }
}
