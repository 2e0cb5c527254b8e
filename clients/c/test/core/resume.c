/* One connection goes on where another ended [PH-4.6, PH-4.7]. */
#include "check.h"
#include "peer.h"

static peer_t peer;

static void offer(const char *token, uint32_t expires_ms)
{
    porthouse_Frame frame = porthouse_Frame_init_zero;
    frame.which_body = porthouse_Frame_resume_tag;
    frame.body.resume.token = porthouse_view(token);
    frame.body.resume.expires_ms = expires_ms;
    peer_say(&peer, &frame);
    peer_quiet(&peer);
}

/* Is cut off, and dials again. */
static void again(uint32_t after_ms)
{
    porthouse_closed(&peer.client, peer.now_ms, 1006);
    CHECK(peer_ended(&peer, PORTHOUSE_UNAVAILABLE));
    peer.now_ms += after_ms;
    porthouse_tick(&peer.client, peer.now_ms);
    peer_open(&peer);
}

static porthouse_Hello hello(void)
{
    porthouse_Hello said = porthouse_Hello_init_zero;
    CHECK(porthouse_read(peer.frames[0].body, &porthouse_Hello_msg, &said));
    return said;
}

static void welcome(bool resumed)
{
    porthouse_Frame frame = porthouse_Frame_init_zero;
    frame.id = peer.frames[0].id;
    frame.which_body = porthouse_Frame_welcome_tag;
    frame.body.welcome.resumed = resumed;
    peer_say(&peer, &frame);
    peer_expect(&peer, PORTHOUSE_WELCOME);
}

static void goes_on(void)
{
    peer_init(&peer);
    peer.options.token = porthouse_view("pht_secret");
    peer_welcome(&peer);
    offer("resume-me", 60000);
    again(5000);
    CHECK(porthouse_is(hello().resume, "resume-me"));
    /* What it had proved need not be proved again. */
    CHECK(peer.frame_count == 1);
    welcome(true);
    CHECK(!peer_take(&peer));
    /* It may be that this Welcome is lost: until there is another one, the token is kept. */
    again(5000);
    CHECK(porthouse_is(hello().resume, "resume-me"));
}

static void is_not_taken(void)
{
    peer_init(&peer);
    peer.options.token = porthouse_view("pht_secret");
    peer_welcome(&peer);
    offer("resume-me", 60000);
    again(5000);
    welcome(false);
    CHECK(peer_take(&peer) && peer.frame_count == 1);
    CHECK(peer.frames[0].kind == porthouse_Frame_lock_step_tag);
    again(5000);
    CHECK(hello().resume.length == 0 && peer.frame_count == 2);
}

static void is_too_late(void)
{
    peer_init(&peer);
    peer_welcome(&peer);
    offer("resume-me", 60000);
    again(60000);
    CHECK(hello().resume.length == 0);
}

static void is_too_long(void)
{
    peer_init(&peer);
    peer_welcome(&peer);
    offer("resume-me", 60000);
    offer("a token of far more bytes than this client has a place for", 60000);
    again(5000);
    CHECK(hello().resume.length == 0);
}

const check_t resume_tests[] = {
    {"what was proved counts on the next connection", goes_on},
    {"a token that is not taken is forgotten, and proofs given", is_not_taken},
    {"a token is not used after its time", is_too_late},
    {"a token without a place is not used", is_too_long},
    CHECK_END,
};
