/* From one connection to the next [PH-9]. */
#include "check.h"
#include "peer.h"

static peer_t peer;

static void drop(porthouse_Code code, uint32_t retry_after_ms)
{
    porthouse_Frame frame = porthouse_Frame_init_zero;
    frame.which_body = porthouse_Frame_drop_tag;
    frame.body.drop.code = code;
    frame.body.drop.retry_after_ms = retry_after_ms;
    peer_say(&peer, &frame);
}

static void wait_ms(uint32_t ms)
{
    CHECK(porthouse_tick(&peer.client, peer.now_ms) == ms);
    peer_quiet(&peer);
    peer.now_ms += ms;
    porthouse_tick(&peer.client, peer.now_ms);
}

static void greets(void)
{
    porthouse_Hello hello = porthouse_Hello_init_zero;
    peer_init(&peer);
    CHECK(!peer_take(&peer));
    peer_open(&peer);
    CHECK(peer.frame_count == 1 && peer.frames[0].kind == porthouse_Frame_hello_tag);
    CHECK(porthouse_read(peer.frames[0].body, &porthouse_Hello_msg, &hello));
    CHECK(porthouse_is(hello.agent, "porthouse-c/" PORTHOUSE_VERSION));
    CHECK(hello.capabilities.count == 1);
    CHECK(!peer_take(&peer));
}

static void holds_its_breath(void)
{
    const porthouse_join_t join = {.address = PORTHOUSE_TEXT("room:demo/hello")};
    peer_init(&peer);
    peer_open(&peer);
    CHECK(porthouse_join(&peer.client, &join) == PORTHOUSE_OK);
    CHECK(!peer_take(&peer));
}

static void backs_off(void)
{
    static const uint32_t delays[] = {125, 250, 500, 1000, 2000, 4000, 8000, 10000, 10000};
    peer_init(&peer);
    for (size_t i = 0; i < sizeof delays / sizeof *delays; i++) {
        peer_expect(&peer, PORTHOUSE_CONNECT);
        porthouse_closed(&peer.client, peer.now_ms, 0);
        CHECK(peer_ended(&peer, PORTHOUSE_UNAVAILABLE));
        CHECK(peer.event.as.ended.delay_ms == delays[i]);
        wait_ms(delays[i]);
    }
    peer_expect(&peer, PORTHOUSE_CONNECT);
}

static void waits_as_told(void)
{
    peer_init(&peer);
    peer_welcome(&peer);
    drop(porthouse_Code_CODE_DRAINING, 5000);
    peer_expect(&peer, PORTHOUSE_DROP);
    CHECK(peer.event.code == PORTHOUSE_DRAINING && peer.event.as.drop.retry_after_ms == 5000);
    peer_quiet(&peer);
    porthouse_closed(&peer.client, peer.now_ms, 1012);
    CHECK(peer_ended(&peer, PORTHOUSE_DRAINING));
    wait_ms(5000);
    peer_expect(&peer, PORTHOUSE_CONNECT);
}

static void stays_away(void)
{
    peer_init(&peer);
    peer_welcome(&peer);
    drop(porthouse_Code_CODE_REVOKED, 0);
    peer_expect(&peer, PORTHOUSE_DROP);
    /* What comes after the last word is not heard. */
    peer_say_bytes(&peer, "\xff", 1);
    porthouse_closed(&peer.client, peer.now_ms, 4559);
    CHECK(!peer_ended(&peer, PORTHOUSE_REVOKED));
    peer_quiet(&peer);
    CHECK(porthouse_tick(&peer.client, peer.now_ms) == UINT32_MAX);
}

static void closes_itself(void)
{
    peer_init(&peer);
    peer_welcome(&peer);
    drop(porthouse_Code_CODE_KICKED, 0);
    peer_expect(&peer, PORTHOUSE_DROP);
    wait_ms(1000);
    CHECK(!peer_ended(&peer, PORTHOUSE_KICKED));
}

static void knows_closes(void)
{
    static const struct {
        uint16_t close;
        porthouse_code_t code;
        bool again;
    } closes[] = {
        {0, PORTHOUSE_UNAVAILABLE, true},     {1005, PORTHOUSE_UNAVAILABLE, true},
        {1006, PORTHOUSE_UNAVAILABLE, true},  {1012, PORTHOUSE_UNAVAILABLE, true},
        {1000, PORTHOUSE_UNAVAILABLE, false}, {1009, PORTHOUSE_UNAVAILABLE, false},
        {4550, PORTHOUSE_UNAUTHENTICATED, false}, {4071, PORTHOUSE_CONNECTION_LIMIT, true},
        {4499, 499, true},                    {4999, 499, false},
    };
    for (size_t i = 0; i < sizeof closes / sizeof *closes; i++) {
        peer_init(&peer);
        peer_welcome(&peer);
        porthouse_closed(&peer.client, peer.now_ms, closes[i].close);
        CHECK(peer_ended(&peer, closes[i].code) == closes[i].again);
    }
}

static void knows_newer_codes(void)
{
    peer_init(&peer);
    peer_welcome(&peer);
    drop((porthouse_Code)399, 0);
    peer_expect(&peer, PORTHOUSE_DROP);
    porthouse_closed(&peer.client, peer.now_ms, 4399);
    CHECK(peer_ended(&peer, 399));
}

static void gives_up_waiting(void)
{
    peer_init(&peer);
    peer.options.timeout_ms = 3000;
    peer_expect(&peer, PORTHOUSE_CONNECT);
    wait_ms(3000);
    CHECK(peer_ended(&peer, PORTHOUSE_UNAVAILABLE));
    peer_init(&peer);
    peer_open(&peer);
    wait_ms(10000);
    CHECK(peer_ended(&peer, PORTHOUSE_UNAVAILABLE));
}

static void leaves(void)
{
    porthouse_view_t packet;
    peer_init(&peer);
    peer_welcome(&peer);
    porthouse_close(&peer.client);
    CHECK(!peer_ended(&peer, PORTHOUSE_OK));
    CHECK(!porthouse_output(&peer.client, &packet));
    CHECK(!porthouse_received(&peer.client, peer.now_ms, "", 0, true));
    porthouse_closed(&peer.client, peer.now_ms, 1000);
    peer_quiet(&peer);
}

const check_t connection_tests[] = {
    {"a greeting is one packet", greets},
    {"nothing follows the greeting before its answer [PH-4.7]", holds_its_breath},
    {"waits double up to a bound, with jitter", backs_off},
    {"a wait is as long as the gateway asks [PH-9.4]", waits_as_told},
    {"a final code ends the client", stays_away},
    {"a gateway that does not close is closed", closes_itself},
    {"close codes say whether to come back [PH-9.3]", knows_closes},
    {"the close code decides about a newer code", knows_newer_codes},
    {"dialling and the first word have a deadline", gives_up_waiting},
    {"a client that leaves is done", leaves},
    CHECK_END,
};
