/* A gateway that lies, stalls, truncates or floods gets the client into a stated error. */
#include <string.h>

#include "check.h"
#include "peer.h"

static peer_t peer;

static void ends(const void *bytes, size_t length, porthouse_code_t code)
{
    peer_init(&peer);
    peer_welcome(&peer);
    peer_say_bytes(&peer, bytes, length);
    CHECK(!peer_ended(&peer, code));
    peer_quiet(&peer);
    CHECK(!peer_take(&peer));
}

static void truncates(void)
{
    ends("\x0a", 1, PORTHOUSE_MALFORMED_PACKET);
    ends("\x0a\x05\x08\x01", 4, PORTHOUSE_MALFORMED_PACKET);
    /* Within a frame: a receipt, a verdict and a room that run past their ends. */
    ends("\x0a\x05\x08\x01\x32\x01\x08", 7, PORTHOUSE_MALFORMED_PACKET);
    ends("\x0a\x04\x22\x02\x22\x09", 6, PORTHOUSE_MALFORMED_PACKET);
    ends("\x0a\x04\x3a\x02\x12\x09", 6, PORTHOUSE_MALFORMED_PACKET);
}

static void overstates(void)
{
    ends("\x0a\xff\xff\xff\xff\x0f", 6, PORTHOUSE_MALFORMED_PACKET);
    ends("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 12, PORTHOUSE_MALFORMED_PACKET);
    /* As much as it may say: it is passed over until the packet ends too early. */
    peer_init(&peer);
    peer_welcome(&peer);
    CHECK(porthouse_received(&peer.client, peer.now_ms, "\x0a\xff\xff\xff\xff\x07", 6, false));
    peer_expect(&peer, PORTHOUSE_SKIPPED);
    peer_quiet(&peer);
    CHECK(porthouse_received(&peer.client, peer.now_ms, "xyz", 3, true));
    CHECK(!peer_ended(&peer, PORTHOUSE_MALFORMED_PACKET));
}

static void talks_nonsense(void)
{
    ends("\x0a\x02\x0b\x00", 4, PORTHOUSE_MALFORMED_PACKET);
    ends("\x0a\x04\x32\x00\x3a\x00", 6, PORTHOUSE_MALFORMED_PACKET);
    /* A message without a stamp, and one with a short id. */
    ends("\x0a\x02\x2a\x00", 4, PORTHOUSE_MALFORMED_PACKET);
    ends("\x0a\x07\x2a\x05\x12\x03\x0a\x01x", 9, PORTHOUSE_MALFORMED_PACKET);
}

/* Frames that are a client's: Hello, Answer, Join, Leave, Fetch, ListMembers. */
static void plays_the_client(void)
{
    ends("\x0a\x02\x12\x00", 4, PORTHOUSE_FRAME_NOT_ALLOWED);
    ends("\x0a\x04\x22\x02\x1a\x00", 6, PORTHOUSE_FRAME_NOT_ALLOWED);
    ends("\x0a\x04\x3a\x02\x0a\x00", 6, PORTHOUSE_FRAME_NOT_ALLOWED);
    ends("\x0a\x04\x3a\x02\x1a\x00", 6, PORTHOUSE_FRAME_NOT_ALLOWED);
    ends("\x0a\x04\x3a\x02\x3a\x00", 6, PORTHOUSE_FRAME_NOT_ALLOWED);
    ends("\x0a\x04\x3a\x02\x52\x00", 6, PORTHOUSE_FRAME_NOT_ALLOWED);
}

static void answers_unasked(void)
{
    ends("\x0a\x04\x08\x01\x1a\x00", 6, PORTHOUSE_FRAME_NOT_ALLOWED);
    ends("\x0a\x04\x08\x63\x32\x00", 6, PORTHOUSE_MALFORMED_PACKET);
    peer_init(&peer);
    peer_open(&peer);
    peer_say_bytes(&peer, "\x0a\x04\x08\x63\x1a\x00", 6);
    CHECK(!peer_ended(&peer, PORTHOUSE_FRAME_NOT_ALLOWED));
    /* Receipts for what was not sent are for nobody. */
    peer_init(&peer);
    peer_welcome(&peer);
    peer_say_bytes(&peer, "\x0a\x06\x08\x63\x32\x02\x08\x02", 8);
    peer_quiet(&peer);
    peer_say_bytes(&peer, "\x0a\x04\x32\x02\x08\x02", 6);
    peer_quiet(&peer);
}

/* What is newer is refused where it asks for something, and else ignored [PH-2.5]. */
static void knows_more(void)
{
    porthouse_Drop drop = porthouse_Drop_init_zero;
    peer_init(&peer);
    peer_welcome(&peer);
    peer_say_bytes(&peer, "\x0a\x03\x7a\x01x\x0a\x00\x12\x00", 9);
    peer_quiet(&peer);
    CHECK(!peer_take(&peer));
    peer_say_bytes(&peer, "\x0a\x05\x08\x09\x7a\x01x\x0a\x02\x08\x0a", 11);
    peer_quiet(&peer);
    CHECK(peer_take(&peer) && peer.frame_count == 2);
    CHECK(peer.frames[0].id == 9 && peer.frames[1].id == 10);
    CHECK(porthouse_read(peer.frames[0].body, &porthouse_Drop_msg, &drop));
    CHECK(drop.code == porthouse_Code_CODE_UNIMPLEMENTED);
    /* A room action and a lock step of tomorrow. */
    peer_say_bytes(&peer, "\x0a\x04\x3a\x02\x7a\x00\x0a\x04\x22\x02\x7a\x00", 12);
    peer_quiet(&peer);
    CHECK(!peer_take(&peer));
}

static void has_a_huge_name(void)
{
    static uint8_t name[3000];
    porthouse_Frame frame = porthouse_Frame_init_zero;
    memset(name, 'a', sizeof name);
    peer_init(&peer);
    peer_open(&peer);
    frame.id = peer.frames[0].id;
    frame.which_body = porthouse_Frame_welcome_tag;
    frame.body.welcome.socket.data = name;
    frame.body.welcome.socket.length = sizeof name;
    peer_say(&peer, &frame);
    CHECK(!peer_ended(&peer, PORTHOUSE_NAME_TOO_LONG));
    /* Where it is only told, it is told. */
    peer_init(&peer);
    peer_welcome(&peer);
    frame = (porthouse_Frame)porthouse_Frame_init_zero;
    frame.which_body = porthouse_Frame_room_tag;
    frame.body.room.which_action = porthouse_Room_joined_tag;
    frame.body.room.action.joined.address.data = name;
    frame.body.room.action.joined.address.length = sizeof name;
    peer_say(&peer, &frame);
    peer_expect(&peer, PORTHOUSE_JOINED);
    CHECK(peer.event.as.joined.address.length == sizeof name);
}

static void asks_for_answers(void)
{
    static const uint8_t frame[] = {0x0a, 0x04, 0x08, 0x09, 0x7a, 0x00};
    static uint8_t flood[6 * 500];
    for (size_t i = 0; i < sizeof flood; i++) flood[i] = frame[i % 6];
    peer_init(&peer);
    peer_welcome(&peer);
    peer_say_bytes(&peer, flood, sizeof flood);
    peer_quiet(&peer);
    porthouse_view_t packet;
    CHECK(porthouse_output(&peer.client, &packet) && packet.length <= PORTHOUSE_OUT_BYTES);
}

static void is_larger_than_the_welcome(void)
{
    peer_init(&peer);
    peer.options.in.size = 8;
    peer_open(&peer);
    CHECK(porthouse_received(&peer.client, peer.now_ms, "\x0a\x7f\x08", 3, false));
    peer_expect(&peer, PORTHOUSE_SKIPPED);
    CHECK(!peer_ended(&peer, PORTHOUSE_FRAME_TOO_LARGE));
}

const check_t hostile_tests[] = {
    {"a gateway that truncates", truncates},
    {"a gateway that overstates lengths", overstates},
    {"a gateway that talks nonsense", talks_nonsense},
    {"a gateway that plays the client [PH-3.1]", plays_the_client},
    {"a gateway that answers unasked", answers_unasked},
    {"a gateway that knows more", knows_more},
    {"a gateway with a huge name", has_a_huge_name},
    {"a gateway that asks for more answers than fit", asks_for_answers},
    {"a gateway whose first word does not fit", is_larger_than_the_welcome},
    CHECK_END,
};
