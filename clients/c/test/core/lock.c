/* Locks, answered by what the client has and by hand [PH-5]. */
#include <string.h>

#include "check.h"
#include "peer.h"

static peer_t peer;

static void challenge(uint32_t id, const char *lock, const char *acceptor)
{
    porthouse_Frame frame = porthouse_Frame_init_zero;
    porthouse_LockStep *step = &frame.body.lock_step;
    frame.id = id;
    frame.which_body = porthouse_Frame_lock_step_tag;
    step->lock = porthouse_view(lock);
    step->which_step = porthouse_LockStep_challenge_tag;
    step->step.challenge.acceptor = porthouse_view(acceptor);
    step->step.challenge.depth = 1;
    peer_say(&peer, &frame);
    peer_expect(&peer, PORTHOUSE_CHALLENGE);
    CHECK(porthouse_is(peer.event.as.challenge.lock, lock));
}

static void verdict(uint32_t id, const char *lock, porthouse_Outcome outcome, porthouse_Code code)
{
    porthouse_Frame frame = porthouse_Frame_init_zero;
    porthouse_LockStep *step = &frame.body.lock_step;
    frame.id = id;
    frame.which_body = porthouse_Frame_lock_step_tag;
    step->lock = porthouse_view(lock);
    step->which_step = porthouse_LockStep_verdict_tag;
    step->step.verdict.outcome = outcome;
    step->step.verdict.code = code;
    peer_say(&peer, &frame);
    peer_expect(&peer, PORTHOUSE_VERDICT);
}

static porthouse_Answer answer_of(const porthouse_frame_t *frame, const char *lock)
{
    porthouse_LockStep step = porthouse_LockStep_init_zero;
    CHECK(frame->kind == porthouse_Frame_lock_step_tag);
    CHECK(porthouse_read(frame->body, &porthouse_LockStep_msg, &step));
    CHECK(step.which_step == porthouse_LockStep_answer_tag);
    CHECK(porthouse_is(step.lock, lock));
    return step.step.answer;
}

static porthouse_Answer taken(const char *lock)
{
    return answer_of(peer_taken(&peer, porthouse_Frame_lock_step_tag), lock);
}

static void ahead(void)
{
    porthouse_Answer answer;
    peer_init(&peer);
    peer.options.token = porthouse_view("pht_secret");
    peer.options.preset = porthouse_view("friend");
    peer_welcome(&peer);
    CHECK(peer.frame_count == 3);
    answer = answer_of(&peer.frames[1], "");
    CHECK(porthouse_is(answer.acceptor, "token"));
    CHECK(porthouse_is(answer.response.text, "pht_secret"));
    answer = answer_of(&peer.frames[2], "");
    CHECK(porthouse_is(answer.acceptor, "preset"));
    CHECK(porthouse_is(answer.response.data, "friend"));
    /* A challenge that crossed with it is answered already. */
    challenge(0, "lock:a", "token");
    CHECK(peer.event.as.challenge.answered);
    CHECK(!peer_take(&peer));
    verdict(peer.frames[1].id, "lock:a", porthouse_Outcome_OUTCOME_PASSED, 0);
    peer_quiet(&peer);
}

/* A place of the URL asks before it has heard anything: Hello is the first frame all the same. */
static void at_once(void)
{
    peer_init(&peer);
    peer.options.url_names_place = true;
    peer.options.wait_for_challenge = true;
    peer.options.token = porthouse_view("pht_secret");
    peer_expect(&peer, PORTHOUSE_CONNECT);
    porthouse_opened(&peer.client, peer.now_ms);
    challenge(0, "lock:a", "token");
    CHECK(peer.event.as.challenge.answered);
    CHECK(peer_take(&peer) && peer.frame_count == 2);
    CHECK(peer.frames[0].kind == porthouse_Frame_hello_tag);
    CHECK(porthouse_is(answer_of(&peer.frames[1], "lock:a").response.text, "pht_secret"));
}

static void nested(void)
{
    uint32_t outer;
    peer_init(&peer);
    peer.options.wait_for_challenge = true;
    peer.options.token = porthouse_view("pht_secret");
    peer.options.preset = porthouse_view("friend");
    peer_welcome(&peer);
    CHECK(peer.frame_count == 1);
    challenge(0, "lock:outer", "token");
    CHECK(porthouse_is(taken("lock:outer").acceptor, "token"));
    outer = peer.frames[0].id;
    /* The outer lock needs another one first, which is newer. */
    challenge(outer, "lock:inner", "preset");
    CHECK(porthouse_is(taken("lock:inner").acceptor, "preset"));
    verdict(peer.frames[0].id, "lock:inner", porthouse_Outcome_OUTCOME_PASSED, 0);
    verdict(0, "lock:outer", porthouse_Outcome_OUTCOME_PASSED, 0);
    peer_quiet(&peer);
}

static void among_others(void)
{
    porthouse_Frame frame = porthouse_Frame_init_zero;
    static const porthouse_view_t others[] = {PORTHOUSE_TEXT("tty"), PORTHOUSE_TEXT("preset")};
    porthouse_LockStep *step = &frame.body.lock_step;
    peer_init(&peer);
    peer.options.wait_for_challenge = true;
    peer.options.preset = porthouse_view("friend");
    peer_welcome(&peer);
    frame.which_body = porthouse_Frame_lock_step_tag;
    step->lock = porthouse_view("lock:a");
    step->which_step = porthouse_LockStep_challenge_tag;
    step->step.challenge.acceptor = porthouse_view("oidc");
    step->step.challenge.others.items = others;
    step->step.challenge.others.count = 2;
    peer_say(&peer, &frame);
    peer_expect(&peer, PORTHOUSE_CHALLENGE);
    CHECK(peer.event.as.challenge.answered && peer.event.as.challenge.asks.others.count == 2);
    CHECK(porthouse_is(taken("lock:a").acceptor, "preset"));
}

static void wrong(void)
{
    peer_init(&peer);
    peer.options.token = porthouse_view("pht_wrong");
    peer_welcome(&peer);
    verdict(peer.frames[1].id, "", porthouse_Outcome_OUTCOME_FAILED,
            porthouse_Code_CODE_UNAUTHENTICATED);
    CHECK(!peer_ended(&peer, PORTHOUSE_UNAUTHENTICATED));
    peer_quiet(&peer);
}

static void not_now(void)
{
    peer_init(&peer);
    peer.options.token = porthouse_view("pht_secret");
    peer_welcome(&peer);
    verdict(peer.frames[1].id, "", porthouse_Outcome_OUTCOME_FAILED,
            porthouse_Code_CODE_UNAVAILABLE);
    CHECK(peer_ended(&peer, PORTHOUSE_UNAVAILABLE));
}

static void nobody_answers(void)
{
    peer_init(&peer);
    peer_welcome(&peer);
    challenge(0, "lock:a", "knock");
    CHECK(!peer.event.as.challenge.answered);
    CHECK(!peer_ended(&peer, PORTHOUSE_UNAUTHENTICATED));
}

static void by_hand(void)
{
    static const porthouse_view_t words[] = {PORTHOUSE_TEXT("open"), PORTHOUSE_TEXT("sesame")};
    porthouse_Answer answer = porthouse_Answer_init_zero;
    peer_init(&peer);
    peer.options.answers_by_hand = true;
    peer.options.token = porthouse_view("pht_wrong");
    peer_welcome(&peer);
    verdict(peer.frames[1].id, "lock:a", porthouse_Outcome_OUTCOME_FAILED,
            porthouse_Code_CODE_UNAUTHENTICATED);
    /* What was wrong is not said again. */
    challenge(0, "lock:a", "token");
    CHECK(!peer.event.as.challenge.answered);
    challenge(0, "lock:b", "tty");
    CHECK(!peer.event.as.challenge.answered);
    answer.acceptor = porthouse_view("tty");
    answer.which_response = porthouse_Answer_responses_tag;
    answer.response.responses.values.items = words;
    answer.response.responses.values.count = 2;
    CHECK(porthouse_answer(&peer.client, porthouse_view("lock:b"), &answer) == PORTHOUSE_OK);
    CHECK(taken("lock:b").response.responses.values.count == 2);
}

static bool signs(void *context, const uint8_t *message, size_t length, uint8_t signature[64])
{
    porthouse_buffer_t *kept = (porthouse_buffer_t *)context;
    CHECK(length <= 256);
    memcpy(kept->data, message, length);
    kept->size = length;
    memset(signature, 0x5a, 64);
    return true;
}

static uint8_t message[256];
static porthouse_buffer_t kept = {message, 0};

static void ask_to_sign(const char *socket, size_t nonce_length)
{
    static const uint8_t nonce[33] = {1, 2, 3};
    porthouse_Frame frame = porthouse_Frame_init_zero;
    porthouse_LockStep *step = &frame.body.lock_step;
    porthouse_Challenge *asks = &step->step.challenge;
    frame.id = peer.frame_count == 2 ? peer.frames[1].id : 0;
    frame.which_body = porthouse_Frame_lock_step_tag;
    step->lock = porthouse_view("lock:a");
    step->which_step = porthouse_LockStep_challenge_tag;
    asks->acceptor = porthouse_view("ssh-key");
    asks->place = porthouse_view("room:acme/boiler");
    asks->which_ask = porthouse_Challenge_nonce_tag;
    asks->ask.nonce.nonce.data = nonce;
    asks->ask.nonce.nonce.length = nonce_length;
    asks->ask.nonce.socket = porthouse_view(socket);
    peer_say(&peer, &frame);
    peer_expect(&peer, PORTHOUSE_CHALLENGE);
}

static void signing_peer(void)
{
    peer_init(&peer);
    peer.options.sign = signs;
    peer.options.context = &kept;
    peer.options.random = NULL;
    peer.options.client = porthouse_view("client:acme/bob");
    peer.options.gateway = porthouse_view("https://hub.example");
}

/* A place would ask for a signature of its own, and that is much work on a small machine. */
static void one_signature(void)
{
    const porthouse_join_t join = {.address = PORTHOUSE_TEXT("room:acme/boiler")};
    signing_peer();
    CHECK(porthouse_join(&peer.client, &join) == PORTHOUSE_OK);
    peer_welcome(&peer);
    CHECK(peer.frame_count == 2);
    ask_to_sign("socket:abcdefgh234567ab", 32);
    peer_taken(&peer, porthouse_Frame_lock_step_tag);
    verdict(peer.frames[0].id, "lock:a", porthouse_Outcome_OUTCOME_PASSED, 0);
    peer_taken(&peer, porthouse_Frame_room_tag);
}

static void signature(void)
{
    static const uint8_t start[] = "\0\0\0\x12porthouse login v1\0\0\0\x13https://hub.example";
    porthouse_Answer answer;
    signing_peer();
    peer_welcome(&peer);
    /* In the main lobby it says that it would, and is asked. */
    answer = answer_of(&peer.frames[1], "");
    CHECK(porthouse_is(answer.acceptor, "ssh-key") && answer.which_response == 0);
    ask_to_sign("socket:abcdefgh234567ab", 32);
    CHECK(peer.event.as.challenge.answered);
    CHECK(memcmp(message, start, sizeof start - 1) == 0);
    CHECK(kept.size == 22 + 23 + 4 + 23 + 36 + 19 + 20);
    CHECK(memcmp(message + kept.size - 16, "room:acme/boiler", 16) == 0);
    answer = taken("lock:a");
    CHECK(answer.which_response == porthouse_Answer_signature_tag);
    CHECK(porthouse_is(answer.response.signature.client, "client:acme/bob"));
    CHECK(porthouse_is(answer.response.signature.gateway, "https://hub.example"));
    CHECK(answer.response.signature.signature.length == 64);
    CHECK(answer.response.signature.signature.data[63] == 0x5a);
}

static void signs_nothing_else(void)
{
    signing_peer();
    peer_welcome(&peer);
    ask_to_sign("socket:2222222222222222", 32);
    CHECK(!peer.event.as.challenge.answered);
    CHECK(!peer_ended(&peer, PORTHOUSE_UNAUTHENTICATED));
    signing_peer();
    peer_welcome(&peer);
    ask_to_sign("socket:abcdefgh234567ab", 33);
    CHECK(!peer_ended(&peer, PORTHOUSE_UNAUTHENTICATED));
}

static void for_ever(void)
{
    peer_init(&peer);
    peer.options.wait_for_challenge = true;
    peer.options.token = porthouse_view("pht_secret");
    peer_welcome(&peer);
    for (int i = 0; i < 32; i++) {
        challenge(i == 0 ? 0 : peer.frames[0].id, "lock:a", "token");
        CHECK(peer.event.as.challenge.answered);
        CHECK(peer_take(&peer));
    }
    challenge(peer.frames[0].id, "lock:a", "token");
    CHECK(!peer_ended(&peer, PORTHOUSE_NESTING_TOO_DEEP));
}

const check_t lock_tests[] = {
    {"what nobody asks for goes with the greeting [PH-5.4]", ahead},
    {"a place of the URL asks before it has heard anything [PH-1.7]", at_once},
    {"a lock within a lock is answered first [PH-5.14]", nested},
    {"one of several acceptors is enough [PH-5.13]", among_others},
    {"a wrong answer ends the client, and is not given again", wrong},
    {"an answer that cannot be judged now is given later", not_now},
    {"a lock that nothing fits ends the client", nobody_answers},
    {"the application answers what nothing fits", by_hand},
    {"a nonce is signed for this socket, gateway and place", signature},
    {"one signature is enough for the places after it", one_signature},
    {"nothing else is signed", signs_nothing_else},
    {"a gateway that asks for ever is left", for_ever},
    CHECK_END,
};
