/* Signs of life [PH-10.1, PH-10.2]. */
#include "check.h"
#include "peer.h"

static peer_t peer;

static void pass_ms(uint32_t ms)
{
    peer.now_ms += ms;
    porthouse_tick(&peer.client, peer.now_ms);
}

static void beats(void)
{
    peer_init(&peer);
    peer_welcome(&peer);
    CHECK(porthouse_tick(&peer.client, peer.now_ms) == 20000);
    pass_ms(19999);
    CHECK(!peer_take(&peer));
    pass_ms(1);
    CHECK(peer_take(&peer) && peer.sent_length == 0);
    CHECK(!peer_take(&peer));
    /* The answer, which is not answered in turn. */
    peer_say_bytes(&peer, "", 0);
    peer_quiet(&peer);
    CHECK(!peer_take(&peer));
    CHECK(porthouse_tick(&peer.client, peer.now_ms) == 20000);
}

static void speaks_though_it_hears(void)
{
    peer_init(&peer);
    peer_welcome(&peer);
    pass_ms(15000);
    peer_say_bytes(&peer, "", 0);
    pass_ms(5000);
    CHECK(peer_take(&peer) && peer.sent_length == 0);
}

static void gives_up(void)
{
    peer_init(&peer);
    peer_welcome(&peer);
    pass_ms(20000);
    CHECK(peer_take(&peer));
    pass_ms(19999);
    peer_quiet(&peer);
    pass_ms(1);
    CHECK(peer_ended(&peer, PORTHOUSE_HEARTBEAT_TIMEOUT));
}

static void leaves_it_to_mqtt(void)
{
    peer_init(&peer);
    peer.options.transport = PORTHOUSE_MQTT;
    peer_open(&peer);
    CHECK(porthouse_tick(&peer.client, peer.now_ms) == UINT32_MAX);
    CHECK(!peer_take(&peer));
}

const check_t heartbeat_tests[] = {
    {"whoever is quiet is asked, and answers are not answered", beats},
    {"a client that only listens speaks", speaks_though_it_hears},
    {"a gateway that does not answer is given up", gives_up},
    {"MQTT keeps itself alive [PH-17.21]", leaves_it_to_mqtt},
    CHECK_END,
};
