/* Messages and their receipts [PH-6, PH-8]. */
#include <string.h>

#include "check.h"
#include "peer.h"

static peer_t peer;

static porthouse_Envelope sent(void)
{
    porthouse_Envelope envelope = porthouse_Envelope_init_zero;
    const porthouse_frame_t *frame = peer_taken(&peer, porthouse_Frame_envelope_tag);
    CHECK(porthouse_read(frame->body, &porthouse_Envelope_msg, &envelope));
    return envelope;
}

static void receipt(uint32_t id, porthouse_ReceiptStatus status, porthouse_Code code)
{
    porthouse_Frame frame = porthouse_Frame_init_zero;
    frame.id = id;
    frame.which_body = porthouse_Frame_receipt_tag;
    frame.body.receipt.status = status;
    frame.body.receipt.code = code;
    frame.body.receipt.sockets = 2;
    peer_say(&peer, &frame);
}

static void sends(void)
{
    static const porthouse_Envelope_HeadersEntry headers[] = {
        {PORTHOUSE_TEXT("trace"), PORTHOUSE_TEXT("1")}, {PORTHOUSE_TEXT("b"), PORTHOUSE_TEXT("2")}};
    const porthouse_send_t message = {
        .to = PORTHOUSE_TEXT("room:demo/hello"),
        .content = PORTHOUSE_TEXT("hi"),
        .is_text = true,
        .content_type = PORTHOUSE_TEXT("text/plain"),
        .reply_to = PORTHOUSE_TEXT("client:demo/a"),
        .correlation_id = PORTHOUSE_TEXT("7"),
        .expires_after = 60,
        .headers = headers,
        .header_count = 2,
        .receipt = PORTHOUSE_ROUTED,
        .idempotency_key = PORTHOUSE_TEXT("key"),
        .acting = PORTHOUSE_TEXT("client:demo/b"),
        .retain = true,
    };
    uint32_t id = 0;
    peer_init(&peer);
    peer_welcome(&peer);
    CHECK(porthouse_send(&peer.client, &message, &id) == PORTHOUSE_OK && id != 0);
    const porthouse_Envelope envelope = sent();
    CHECK(peer.frames[0].id == id);
    CHECK(porthouse_is(envelope.content.text, "hi") && envelope.headers.count == 2);
    CHECK(envelope.which_content == porthouse_Envelope_text_tag);
    CHECK(porthouse_is(envelope.content_type, "text/plain") && envelope.expires_after == 60);
    CHECK(porthouse_is(envelope.reply_to, "client:demo/a"));
    CHECK(porthouse_is(envelope.correlation_id, "7"));
    CHECK(envelope.routing.to.count == 1 && envelope.routing.retain);
    CHECK(envelope.routing.receipt == porthouse_ReceiptLevel_RECEIPT_LEVEL_ROUTED);
    CHECK(porthouse_is(envelope.routing.idempotency_key, "key"));
    CHECK(porthouse_is(envelope.routing.acting, "client:demo/b"));
    receipt(id, porthouse_ReceiptStatus_RECEIPT_STATUS_ROUTED, 0);
    peer_expect(&peer, PORTHOUSE_RECEIPT);
    CHECK(peer.event.id == id && peer.event.as.receipt.sockets == 2);
}

static void by_route(void)
{
    const porthouse_send_t message = {.route = 7,
                                      .channel = PORTHOUSE_TEXT("temp/1"),
                                      .content = {(const uint8_t *)"\0\1", 2}};
    const porthouse_send_t lost = {.channel = PORTHOUSE_TEXT("temp/1")};
    peer_init(&peer);
    peer_welcome(&peer);
    CHECK(porthouse_send(&peer.client, &message, NULL) == PORTHOUSE_OK);
    const porthouse_Envelope envelope = sent();
    CHECK(envelope.routing.route == 7 && porthouse_is(envelope.routing.channel, "temp/1"));
    CHECK(envelope.which_content == porthouse_Envelope_payload_tag);
    CHECK(envelope.content.payload.length == 2);
    CHECK(porthouse_send(&peer.client, &lost, NULL) == PORTHOUSE_ROUTE_UNKNOWN);
}

static void bounds(void)
{
    static uint8_t bytes[300];
    porthouse_send_t message = {.route = 7, .content = {bytes, sizeof bytes}};
    uint32_t id;
    peer_init(&peer);
    CHECK(porthouse_send(&peer.client, &message, NULL) == PORTHOUSE_UNAVAILABLE);
    peer_welcome(&peer);
    CHECK(porthouse_send(&peer.client, &message, NULL) == PORTHOUSE_PAYLOAD_TOO_LARGE);
    message.content.length = 200;
    CHECK(porthouse_send(&peer.client, &message, NULL) == PORTHOUSE_OK);
    CHECK(porthouse_send(&peer.client, &message, NULL) == PORTHOUSE_OK);
    CHECK(porthouse_send(&peer.client, &message, NULL) == PORTHOUSE_QUEUE_FULL);
    CHECK(peer_take(&peer) && peer.frame_count == 2);
    message.content.length = 1;
    message.receipt = PORTHOUSE_ACCEPTED;
    for (int i = 0; i < PORTHOUSE_IN_FLIGHT; i++) {
        CHECK(porthouse_send(&peer.client, &message, &id) == PORTHOUSE_OK);
    }
    CHECK(porthouse_send(&peer.client, &message, NULL) == PORTHOUSE_QUEUE_FULL);
    receipt(id, porthouse_ReceiptStatus_RECEIPT_STATUS_ACCEPTED, 0);
    peer_expect(&peer, PORTHOUSE_RECEIPT);
    CHECK(porthouse_send(&peer.client, &message, NULL) == PORTHOUSE_OK);
    message.content.length = 250;
    peer.options.out.size = 64;
    CHECK(porthouse_send(&peer.client, &message, NULL) != PORTHOUSE_OK);
}

static void while_it_is_sent(void)
{
    porthouse_send_t message = {.route = 7, .content = PORTHOUSE_TEXT("a")};
    porthouse_view_t packet;
    peer_init(&peer);
    peer_welcome(&peer);
    CHECK(porthouse_send(&peer.client, &message, NULL) == PORTHOUSE_OK);
    CHECK(porthouse_output(&peer.client, &packet));
    const size_t length = packet.length;
    CHECK(porthouse_send(&peer.client, &message, NULL) == PORTHOUSE_OK);
    CHECK(porthouse_output(&peer.client, &packet) && packet.length == length);
    porthouse_sent(&peer.client);
    CHECK(peer_take(&peer) && peer.frame_count == 1 && peer.sent_length == length);
    CHECK(!peer_take(&peer));
}

static void rejected(void)
{
    const porthouse_send_t message = {.route = 7, .receipt = PORTHOUSE_NONE};
    uint32_t id = 0;
    peer_init(&peer);
    peer_welcome(&peer);
    CHECK(porthouse_send(&peer.client, &message, &id) == PORTHOUSE_OK);
    receipt(id, porthouse_ReceiptStatus_RECEIPT_STATUS_REJECTED,
            porthouse_Code_CODE_ROUTE_UNKNOWN);
    peer_expect(&peer, PORTHOUSE_RECEIPT);
    CHECK(peer.event.id == id && peer.event.code == PORTHOUSE_ROUTE_UNKNOWN);
}

static void uncertain(void)
{
    const porthouse_send_t message = {.route = 7, .receipt = PORTHOUSE_STORED};
    uint32_t id = 0;
    peer_init(&peer);
    peer_welcome(&peer);
    CHECK(porthouse_send(&peer.client, &message, &id) == PORTHOUSE_OK);
    porthouse_closed(&peer.client, peer.now_ms, 1006);
    peer_expect(&peer, PORTHOUSE_RECEIPT);
    CHECK(peer.event.id == id && peer.event.code == PORTHOUSE_UNCERTAIN);
    CHECK(peer.event.as.receipt.status == 0);
    CHECK(peer_ended(&peer, PORTHOUSE_UNAVAILABLE));
}

static void hears(void)
{
    static const uint8_t uuid[16] = {1, 2, 3};
    porthouse_Frame frame = porthouse_Frame_init_zero;
    porthouse_Envelope *envelope = &frame.body.envelope;
    porthouse_Stamp *stamp = &envelope->stamp;
    const porthouse_message_t *message = &peer.event.as.message;
    peer_init(&peer);
    peer_welcome(&peer);
    frame.which_body = porthouse_Frame_envelope_tag;
    envelope->has_stamp = true;
    stamp->id.data = uuid;
    stamp->id.length = sizeof uuid;
    stamp->from = porthouse_view("client:demo/a");
    stamp->route = 7;
    stamp->channel = porthouse_view("temp");
    stamp->sequence = 1u << 20;
    stamp->epoch = UINT64_MAX;
    stamp->time_ms = 1234567890123u;
    envelope->which_content = porthouse_Envelope_payload_tag;
    envelope->content.payload = porthouse_view("bytes");
    envelope->content_type = porthouse_view("a/b");
    envelope->reply_to = porthouse_view("client:demo/c");
    envelope->correlation_id = porthouse_view("9");
    envelope->expires_after = 3;
    peer_say(&peer, &frame);
    peer_expect(&peer, PORTHOUSE_MESSAGE);
    CHECK(memcmp(message->id.data, uuid, 16) == 0 && message->route == 7);
    CHECK(porthouse_is(message->from, "client:demo/a") && porthouse_is(message->channel, "temp"));
    CHECK(message->sequence == 1u << 20 && message->epoch == UINT64_MAX);
    CHECK(message->time_ms == 1234567890123u && message->replay == 0);
    CHECK(porthouse_is(message->content, "bytes") && !message->is_text);
    CHECK(porthouse_is(message->content_type, "a/b") && message->expires_after == 3);
    CHECK(porthouse_is(message->reply_to, "client:demo/c"));
    CHECK(porthouse_is(message->correlation_id, "9"));
}

const check_t message_tests[] = {
    {"a message is sent with all that it has", sends},
    {"a message goes to a route and its channel", by_route},
    {"what does not fit is refused at once", bounds},
    {"messages are queued while a packet is being sent", while_it_is_sent},
    {"a message without a receipt may be rejected [PH-8.2]", rejected},
    {"a receipt that will not come is uncertain", uncertain},
    {"a message is heard with all that it has", hears},
    CHECK_END,
};
