/* Packets in any pieces. */
#include <string.h>

#include "check.h"
#include "peer.h"

static peer_t peer;

/* A message of that much text. */
static size_t message(uint8_t *bytes, size_t size, const char *text, size_t length)
{
    static const uint8_t id[16] = {1};
    porthouse_Frame frame = porthouse_Frame_init_zero;
    porthouse_Envelope *envelope = &frame.body.envelope;
    frame.which_body = porthouse_Frame_envelope_tag;
    envelope->has_stamp = true;
    envelope->stamp.id.data = id;
    envelope->stamp.id.length = sizeof id;
    envelope->which_content = porthouse_Envelope_text_tag;
    envelope->content.text.data = (const uint8_t *)text;
    envelope->content.text.length = length;
    return peer_encode(&frame, bytes, size);
}

static void expect_text(const char *text)
{
    peer_expect(&peer, PORTHOUSE_MESSAGE);
    CHECK(peer.event.as.message.is_text);
    CHECK(porthouse_is(peer.event.as.message.content, text));
}

static bool is_within(porthouse_view_t view, const void *bytes, size_t length)
{
    return view.data >= (const uint8_t *)bytes && view.data < (const uint8_t *)bytes + length;
}

static void several(void)
{
    uint8_t bytes[256];
    size_t length;
    peer_init(&peer);
    peer_welcome(&peer);
    length = message(bytes, sizeof bytes, "one", 3);
    length += message(bytes + length, sizeof bytes - length, "two", 3);
    peer_say_bytes(&peer, bytes, length);
    expect_text("one");
    CHECK(is_within(peer.event.as.message.content, bytes, length));
    /* What was not taken yet stands in the way of what comes. */
    CHECK(!porthouse_received(&peer.client, peer.now_ms, bytes, length, true));
    expect_text("two");
    peer_quiet(&peer);
}

/* Every way to cut two frames in two or into single bytes. */
static void pieces(void)
{
    uint8_t bytes[256];
    size_t length;
    peer_init(&peer);
    peer_welcome(&peer);
    length = message(bytes, sizeof bytes, "one", 3);
    length += message(bytes + length, sizeof bytes - length, "two", 3);
    for (size_t cut = 0; cut <= length; cut++) {
        size_t heard = 0;
        CHECK(porthouse_received(&peer.client, peer.now_ms, bytes, cut, false));
        while (porthouse_next(&peer.client, &peer.event)) heard++;
        CHECK(porthouse_received(&peer.client, peer.now_ms, bytes + cut, length - cut, true));
        while (porthouse_next(&peer.client, &peer.event)) heard++;
        CHECK(heard == 2);
    }
    for (size_t i = 0; i < length; i++) {
        CHECK(porthouse_received(&peer.client, peer.now_ms, bytes + i, 1, i + 1 == length));
        if (i + 1 == length) expect_text("two");
        else if (porthouse_next(&peer.client, &peer.event)) {
            CHECK(porthouse_is(peer.event.as.message.content, "one"));
        }
    }
    peer_quiet(&peer);
}

static void larger_than_the_buffer(void)
{
    static char text[2048];
    static uint8_t bytes[2560];
    memset(text, 'x', sizeof text);
    const size_t large = message(bytes, sizeof bytes, text, sizeof text);
    const size_t length = large + message(bytes + large, sizeof bytes - large, "next", 4);
    peer_init(&peer);
    peer_welcome(&peer);
    /* In one piece it needs no buffer. */
    peer_say_bytes(&peer, bytes, large);
    peer_expect(&peer, PORTHOUSE_MESSAGE);
    CHECK(peer.event.as.message.content.length == sizeof text);
    for (size_t i = 0; i < length; i++) {
        CHECK(porthouse_received(&peer.client, peer.now_ms, bytes + i, 1, i + 1 == length));
        if (!porthouse_next(&peer.client, &peer.event)) continue;
        if (i + 1 == length) break;
        CHECK(peer.event.kind == PORTHOUSE_SKIPPED);
        CHECK(peer.event.as.skipped.length == large);
        peer_quiet(&peer);
    }
    CHECK(porthouse_is(peer.event.as.message.content, "next"));
}

static void without_a_buffer(void)
{
    uint8_t bytes[256];
    const size_t length = message(bytes, sizeof bytes, "whole", 5);
    peer_init(&peer);
    peer.options.in.size = 0;
    peer_welcome(&peer);
    peer_say_bytes(&peer, bytes, length);
    expect_text("whole");
    CHECK(porthouse_received(&peer.client, peer.now_ms, bytes, 4, false));
    peer_expect(&peer, PORTHOUSE_SKIPPED);
    peer_quiet(&peer);
    CHECK(porthouse_received(&peer.client, peer.now_ms, bytes + 4, length - 4, true));
    peer_quiet(&peer);
}

const check_t input_tests[] = {
    {"a packet has several frames, read where they are", several},
    {"a packet comes in any pieces", pieces},
    {"a frame in pieces over the buffer is skipped, and told", larger_than_the_buffer},
    {"whole packets need no buffer", without_a_buffer},
    CHECK_END,
};
