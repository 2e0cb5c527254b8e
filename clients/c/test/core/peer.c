#include "peer.h"

#include <pb_encode.h>
#include <string.h>

#include "check.h"

/* A fair coin that never varies. */
static uint32_t half(void *context)
{
    (void)context;
    return 1u << 31;
}

void peer_init(peer_t *peer)
{
    memset(peer, 0, sizeof *peer);
    peer->now_ms = 4294967000u; /* The clock wraps soon. */
    peer->options.out.data = peer->out;
    peer->options.out.size = sizeof peer->out;
    peer->options.in.data = peer->in;
    peer->options.in.size = sizeof peer->in;
    peer->options.random = half;
    porthouse_init(&peer->client, &peer->options);
    porthouse_tick(&peer->client, peer->now_ms);
}

void peer_open(peer_t *peer)
{
    peer_expect(peer, PORTHOUSE_CONNECT);
    porthouse_opened(&peer->client, peer->now_ms);
    if (peer->options.transport == PORTHOUSE_WEBSOCKET) CHECK(peer_take(peer));
}

void peer_welcome(peer_t *peer)
{
    porthouse_Frame frame = porthouse_Frame_init_zero;
    porthouse_Welcome *welcome = &frame.body.welcome;
    peer_open(peer);
    frame.id = peer->frames[0].id;
    frame.which_body = porthouse_Frame_welcome_tag;
    welcome->socket = porthouse_view("socket:abcdefgh234567ab");
    welcome->has_limits = true;
    welcome->limits.packet_bytes = 65536;
    welcome->limits.packet_frames = 64;
    welcome->limits.frame_bytes = 65536;
    welcome->limits.payload_bytes = 256;
    welcome->heartbeat_ms = 20000;
    peer_say(peer, &frame);
    peer_expect(peer, PORTHOUSE_WELCOME);
}

porthouse_event_t *peer_expect(peer_t *peer, porthouse_event_kind_t kind)
{
    CHECK(porthouse_next(&peer->client, &peer->event));
    if (peer->event.kind != kind) {
        fprintf(stderr, "event %d by %s\n", (int)peer->event.kind,
                porthouse_code_name(peer->event.code));
    }
    CHECK(peer->event.kind == kind);
    return &peer->event;
}

void peer_quiet(peer_t *peer)
{
    CHECK(!porthouse_next(&peer->client, &peer->event));
}

bool peer_ended(peer_t *peer, porthouse_code_t code)
{
    peer_expect(peer, PORTHOUSE_ENDED);
    CHECK(peer->event.code == code);
    return peer->event.as.ended.again;
}

bool peer_take(peer_t *peer)
{
    porthouse_view_t packet;
    peer->frame_count = 0;
    if (!porthouse_output(&peer->client, &packet)) return false;
    memcpy(peer->sent, packet.data, packet.length);
    peer->sent_length = packet.length;
    porthouse_sent(&peer->client);
    packet.data = peer->sent;
    while (porthouse_frame(&packet, &peer->frames[peer->frame_count])) peer->frame_count++;
    CHECK(packet.length == 0);
    return true;
}

const porthouse_frame_t *peer_taken(peer_t *peer, uint32_t kind)
{
    CHECK(peer_take(peer));
    CHECK(peer->frame_count == 1);
    CHECK(peer->frames[0].kind == kind);
    return &peer->frames[0];
}

size_t peer_encode(const porthouse_Frame *frame, uint8_t *bytes, size_t size)
{
    pb_ostream_t out = pb_ostream_from_buffer(bytes, size);
    CHECK(pb_encode_tag(&out, PB_WT_STRING, porthouse_Packet_frames_tag));
    CHECK(pb_encode_submessage(&out, &porthouse_Frame_msg, frame));
    return out.bytes_written;
}

void peer_say_bytes(peer_t *peer, const void *bytes, size_t length)
{
    CHECK(porthouse_received(&peer->client, peer->now_ms, bytes, length, true));
}

void peer_say(peer_t *peer, const porthouse_Frame *frame)
{
    peer_say_bytes(peer, peer->said, peer_encode(frame, peer->said, sizeof peer->said));
}
