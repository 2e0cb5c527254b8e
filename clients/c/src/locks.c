/*
 * Locks [PH-5]: what the client can answer by itself it answers, ahead or when asked; what was
 * found wrong is not said again.
 */
#include "client.h"

enum { TOKEN, PRESET, SSH_KEY, CREDENTIALS };

/* Answers without anything proved between them; a gateway that asks for more asks for ever. */
enum { ANSWERS_MAX = 32 };

static const char *const ACCEPTORS[CREDENTIALS] = {"token", "preset", "ssh-key"};

static bool has(const porthouse_t *client, int which)
{
    const porthouse_options_t *options = client->options;
    if (client->wrong & (1u << which)) return false;
    switch (which) {
    case TOKEN:
        return options->token.length > 0;
    case PRESET:
        return options->preset.length > 0;
    default:
        return options->sign != NULL;
    }
}

void porthouse_locks_start(porthouse_t *client, bool give_ahead)
{
    client->to_give = 0;
    client->wrong = 0;
    for (int i = 0; i < CREDENTIALS; i++) {
        client->answer_id[i] = 0;
        /* A nonce is asked for in the main lobby alone; a place asks by itself. */
        const bool asks = i == SSH_KEY && client->options->url_names_place;
        if (give_ahead && !client->options->wait_for_challenge && has(client, i) && !asks) {
            client->to_give |= (uint8_t)(1u << i);
        }
    }
}

porthouse_code_t porthouse_answer(porthouse_t *client, porthouse_view_t lock,
                                  const porthouse_Answer *answer)
{
    const porthouse_body_t body = {porthouse_Frame_lock_step_tag, porthouse_LockStep_answer_tag,
                                   lock, &porthouse_Answer_msg, answer};
    return porthouse_ask(client, &body, NULL);
}

/* Without a challenge an ssh-key only says that it would sign, and is asked. */
static porthouse_code_t give(porthouse_t *client, int which, porthouse_view_t lock,
                             const porthouse_Challenge *challenge)
{
    const porthouse_options_t *options = client->options;
    porthouse_Answer answer = porthouse_Answer_init_zero;
    uint8_t signature[64];
    answer.acceptor = porthouse_view(ACCEPTORS[which]);
    if (which == TOKEN) {
        answer.which_response = porthouse_Answer_text_tag;
        answer.response.text = options->token;
    } else if (which == PRESET) {
        answer.which_response = porthouse_Answer_data_tag;
        answer.response.data = options->preset;
    } else if (challenge && challenge->which_ask == porthouse_Challenge_nonce_tag) {
        if (!porthouse_sign(client, challenge, signature)) return PORTHOUSE_UNAUTHENTICATED;
        answer.which_response = porthouse_Answer_signature_tag;
        answer.response.signature.client = options->client;
        answer.response.signature.gateway = options->gateway;
        answer.response.signature.signature.data = signature;
        answer.response.signature.signature.length = sizeof signature;
    }
    const porthouse_code_t code = porthouse_answer(client, lock, &answer);
    if (code == PORTHOUSE_OK) client->answer_id[which] = client->last_id;
    return code;
}

void porthouse_give_ahead(porthouse_t *client)
{
    const porthouse_view_t newest = {NULL, 0};
    for (int i = 0; i < CREDENTIALS; i++) {
        if ((client->to_give & (1u << i)) == 0) continue;
        if (give(client, i, newest, NULL) != PORTHOUSE_OK) return;
        client->to_give &= (uint8_t)~(1u << i);
    }
}

bool porthouse_proving(const porthouse_t *client)
{
    return client->answer_id[SSH_KEY] != 0;
}

static int credential_for(const porthouse_t *client, porthouse_view_t acceptor)
{
    for (int i = 0; i < CREDENTIALS; i++) {
        if (has(client, i) && porthouse_is(acceptor, ACCEPTORS[i])) return i;
    }
    return CREDENTIALS;
}

/* Of the acceptors that would do as well, the first that the client has an answer for. */
static int credential_among(const porthouse_t *client, porthouse_view_t challenge)
{
    porthouse_field_t field;
    while (porthouse_field(&challenge, &field)) {
        if (field.number != porthouse_Challenge_others_tag) continue;
        const int which = credential_for(client, field.bytes);
        if (which < CREDENTIALS) return which;
    }
    return CREDENTIALS;
}

/* The first field of a LockStep that is its lock; empty: there is none. */
static porthouse_view_t lock_of(porthouse_view_t step)
{
    const porthouse_view_t none = {NULL, 0};
    porthouse_field_t field;
    while (porthouse_field(&step, &field)) {
        if (field.number == porthouse_LockStep_lock_tag) return field.bytes;
    }
    return none;
}

static bool read_challenge(porthouse_t *client, const porthouse_frame_t *frame,
                           porthouse_view_t bytes, porthouse_event_t *event)
{
    porthouse_Challenge *asks = &event->as.challenge.asks;
    if (!porthouse_decode(client, bytes, &porthouse_Challenge_msg, asks)) return false;
    event->kind = PORTHOUSE_CHALLENGE;
    event->as.challenge.lock = lock_of(frame->body);
    /* An answer that led here has had its say. */
    for (int i = 0; i < CREDENTIALS; i++) {
        if (client->answer_id[i] == frame->id) client->answer_id[i] = 0;
    }
    int which = credential_for(client, asks->acceptor);
    if (which == CREDENTIALS) which = credential_among(client, bytes);
    porthouse_code_t code = PORTHOUSE_UNAUTHENTICATED;
    if (which < CREDENTIALS && which != SSH_KEY && client->answer_id[which] != 0) {
        /* It was given ahead, and has crossed with the challenge. */
        code = PORTHOUSE_OK;
    } else if (which < CREDENTIALS) {
        client->to_give &= (uint8_t)~(1u << which);
        code = give(client, which, event->as.challenge.lock, asks);
        if (++client->answers > ANSWERS_MAX) code = PORTHOUSE_NESTING_TOO_DEEP;
    }
    event->as.challenge.answered = code == PORTHOUSE_OK;
    const bool is_left = code == PORTHOUSE_UNAUTHENTICATED && client->options->answers_by_hand;
    if (code != PORTHOUSE_OK && !is_left) porthouse_end(client, code);
    return true;
}

static bool read_verdict(porthouse_t *client, const porthouse_frame_t *frame,
                         porthouse_view_t bytes, porthouse_event_t *event)
{
    porthouse_Verdict *says = &event->as.verdict.says;
    if (!porthouse_decode(client, bytes, &porthouse_Verdict_msg, says)) return false;
    event->kind = PORTHOUSE_VERDICT;
    event->code = (porthouse_code_t)says->code;
    event->as.verdict.lock = lock_of(frame->body);
    if (says->outcome == porthouse_Outcome_OUTCOME_PASSED) porthouse_established(client);
    /* A push ends a lock without an answer; what was on its way to it gets none. */
    if (frame->id == 0) client->answer_id[SSH_KEY] = 0;
    for (int i = 0; i < CREDENTIALS; i++) {
        if (frame->id == 0 || client->answer_id[i] != frame->id) continue;
        client->answer_id[i] = 0;
        if (says->outcome != porthouse_Outcome_OUTCOME_FAILED) continue;
        if (!porthouse_code_temporary(event->code)) client->wrong |= (uint8_t)(1u << i);
        if (!client->options->answers_by_hand) {
            porthouse_end(client, event->code ? event->code : PORTHOUSE_UNAUTHENTICATED);
        }
    }
    return true;
}

bool porthouse_lock_step(porthouse_t *client, const porthouse_frame_t *frame,
                         porthouse_event_t *event)
{
    porthouse_field_t step;
    if (!porthouse_action(client, frame->body, porthouse_LockStep_challenge_tag, &step)) {
        return false;
    }
    switch (step.number) {
    case porthouse_LockStep_challenge_tag:
        return read_challenge(client, frame, step.bytes, event);
    case porthouse_LockStep_verdict_tag:
        return read_verdict(client, frame, step.bytes, event);
    case porthouse_LockStep_answer_tag:
        porthouse_end(client, PORTHOUSE_FRAME_NOT_ALLOWED);
        return false;
    default:
        porthouse_unimplemented(client, frame->id);
        return false;
    }
}

void porthouse_answer_refused(porthouse_t *client, uint32_t id)
{
    for (int i = 0; i < CREDENTIALS; i++) {
        if (client->answer_id[i] == id) client->answer_id[i] = 0;
    }
}
