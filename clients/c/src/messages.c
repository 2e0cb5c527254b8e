/*
 * Messages out and in, and what became of those that were sent [PH-6, PH-8].
 */
#include "client.h"

/* A place for the id of a message that asks for a receipt; NULL: none is free. */
static uint32_t *find(porthouse_t *client, uint32_t id)
{
    for (size_t i = 0; i < PORTHOUSE_IN_FLIGHT; i++) {
        if (client->in_flight[i] == id) return &client->in_flight[i];
    }
    return NULL;
}

/* A route stands for a room, never for a channel [PH-7.5]. */
static bool is_channel(porthouse_view_t address)
{
    size_t slashes = 0;
    for (size_t i = 0; i < address.length; i++) slashes += address.data[i] == '/';
    return slashes > 1;
}

/* A room that was joined by this address has a number, which is shorter. */
static void address_it(const porthouse_t *client, const porthouse_send_t *message,
                       porthouse_Routing *routing)
{
    const porthouse_room_t *room =
        message->to.length > 0 ? porthouse_room(client, message->to) : NULL;
    routing->route = message->route;
    if (room && room->route != 0 && !is_channel(room->address)) {
        routing->route = room->route;
    } else if (message->to.length > 0) {
        routing->to.items = &message->to;
        routing->to.count = 1;
    }
    if (routing->route != 0) routing->channel = message->channel;
}

porthouse_code_t porthouse_send(porthouse_t *client, const porthouse_send_t *message, uint32_t *id)
{
    porthouse_Envelope envelope = porthouse_Envelope_init_zero;
    porthouse_Routing *routing = &envelope.routing;
    uint32_t *const place = find(client, 0);
    uint32_t own_id;
    if (client->phase != PORTHOUSE_PHASE_OPEN) return PORTHOUSE_UNAVAILABLE;
    if (message->receipt != PORTHOUSE_NONE && !place) return PORTHOUSE_QUEUE_FULL;
    if (client->payload_bytes != 0 && message->content.length > client->payload_bytes) {
        return PORTHOUSE_PAYLOAD_TOO_LARGE;
    }
    envelope.has_routing = true;
    address_it(client, message, routing);
    if (message->channel.length > 0 && routing->route == 0) return PORTHOUSE_ROUTE_UNKNOWN;
    routing->receipt = (porthouse_ReceiptLevel)message->receipt;
    routing->idempotency_key = message->idempotency_key;
    routing->acting = message->acting;
    routing->retain = message->retain;
    envelope.which_content =
        message->is_text ? porthouse_Envelope_text_tag : porthouse_Envelope_payload_tag;
    /* Both members of the union are views. */
    envelope.content.payload = message->content;
    envelope.content_type = message->content_type;
    envelope.headers.items = message->headers;
    envelope.headers.count = message->header_count;
    envelope.reply_to = message->reply_to;
    envelope.correlation_id = message->correlation_id;
    envelope.expires_after = message->expires_after;

    const porthouse_code_t code = porthouse_request(
        client, porthouse_Frame_envelope_tag, &porthouse_Envelope_msg, &envelope, &own_id);
    if (code != PORTHOUSE_OK) return code;
    if (message->receipt != PORTHOUSE_NONE) *place = own_id;
    if (id) *id = own_id;
    return PORTHOUSE_OK;
}

bool porthouse_envelope(porthouse_t *client, const porthouse_frame_t *frame,
                        porthouse_event_t *event)
{
    porthouse_Envelope envelope = porthouse_Envelope_init_zero;
    porthouse_message_t *message = &event->as.message;
    const porthouse_Stamp *stamp = &envelope.stamp;
    if (!porthouse_decode(client, frame->body, &porthouse_Envelope_msg, &envelope)) return false;
    /* The gateway always sets it, and the id is always one. */
    if (!envelope.has_stamp || stamp->id.length != 16) {
        porthouse_end(client, PORTHOUSE_MALFORMED_PACKET);
        return false;
    }
    event->kind = PORTHOUSE_MESSAGE;
    message->id = stamp->id;
    message->from = stamp->from;
    message->target = stamp->target;
    message->route = stamp->route;
    message->channel = stamp->channel;
    message->epoch = stamp->epoch;
    message->sequence = stamp->sequence;
    message->time_ms = stamp->time_ms;
    message->replay = stamp->replay;
    message->content = envelope.content.payload;
    message->is_text = envelope.which_content == porthouse_Envelope_text_tag;
    message->content_type = envelope.content_type;
    message->reply_to = envelope.reply_to;
    message->correlation_id = envelope.correlation_id;
    message->expires_after = envelope.expires_after;
    if (frame->id == 0) porthouse_room_heard(client, message);
    return true;
}

bool porthouse_receipt(porthouse_t *client, const porthouse_frame_t *frame,
                       porthouse_event_t *event)
{
    porthouse_Receipt *receipt = &event->as.receipt;
    if (!porthouse_decode(client, frame->body, &porthouse_Receipt_msg, receipt)) return false;
    uint32_t *const place = frame->id != 0 ? find(client, frame->id) : NULL;
    const bool is_rejected = receipt->status == porthouse_ReceiptStatus_RECEIPT_STATUS_REJECTED;
    if (receipt->status == porthouse_ReceiptStatus_RECEIPT_STATUS_UNSPECIFIED) {
        porthouse_end(client, PORTHOUSE_MALFORMED_PACKET);
        return false;
    }
    /* A rejection comes unasked, and after an acceptance. On MQTT ids are those of its packets. */
    if (!place && !is_rejected && client->options->transport != PORTHOUSE_MQTT) return false;
    if (place) *place = 0;
    event->kind = PORTHOUSE_RECEIPT;
    event->code = (porthouse_code_t)receipt->code;
    return true;
}

bool porthouse_awaits_receipt(porthouse_t *client, uint32_t id)
{
    return id != 0 && find(client, id) != NULL;
}

bool porthouse_uncertain(porthouse_t *client, porthouse_event_t *event)
{
    for (size_t i = 0; i < PORTHOUSE_IN_FLIGHT; i++) {
        if (client->in_flight[i] == 0) continue;
        event->kind = PORTHOUSE_RECEIPT;
        event->code = PORTHOUSE_UNCERTAIN;
        event->id = client->in_flight[i];
        client->in_flight[i] = 0;
        return true;
    }
    return false;
}
