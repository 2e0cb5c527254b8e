/*
 * From dialling to the end of a connection, and to the next one [PH-9.3].
 */
#include <string.h>

#include "client.h"

enum {
    TIMEOUT_MS = 10000,
    BACKOFF_MS = 250,
    BACKOFF_MS_MAX = 20000,
    /* For the gateway to close after its last word. */
    CLOSE_MS = 1000
};

void porthouse_init(porthouse_t *client, const porthouse_options_t *options)
{
    memset(client, 0, sizeof *client);
    client->options = options;
}

static void expect(porthouse_t *client)
{
    const uint32_t timeout_ms = client->options->timeout_ms;
    client->due_ms = client->now_ms + (timeout_ms != 0 ? timeout_ms : TIMEOUT_MS);
}

void porthouse_opened(porthouse_t *client, uint32_t now_ms)
{
    client->now_ms = now_ms;
    if (client->phase != PORTHOUSE_PHASE_DIALLING) return;
    const bool is_mqtt = client->options->transport == PORTHOUSE_MQTT;
    client->phase = PORTHOUSE_PHASE_OPEN;
    client->greeted = client->welcomed = is_mqtt;
    client->beat_due = client->beat_unanswered = false;
    client->code = PORTHOUSE_OK;
    client->heartbeat_ms = 0;
    client->packet_bytes = client->packet_frames = 0;
    client->frame_bytes = client->payload_bytes = 0;
    client->out_length = client->out_taken = client->out_frames = 0;
    client->in_length = client->in_skip = 0;
    client->input.length = 0;
    client->input_last = false;
    client->hello_id = 0;
    client->socket_length = 0;
    client->resuming = !is_mqtt && client->resume_length > 0 &&
                       !porthouse_is_due(client, client->resume_until_ms);
    porthouse_locks_start(client, !client->resuming);
    expect(client);
    /* At once, so that Hello stands before what a place of the URL is answered [PH-3.1]. */
    porthouse_greet(client);
}

bool porthouse_received(porthouse_t *client, uint32_t now_ms, const void *bytes, size_t length,
                        bool last)
{
    client->now_ms = now_ms;
    /* After its last word nothing is heard any more [PH-3.5]. */
    if (client->phase == PORTHOUSE_PHASE_CLOSING) return true;
    if (client->phase != PORTHOUSE_PHASE_OPEN || client->input.length > 0) return false;
    client->input.data = (const uint8_t *)bytes;
    client->input.length = length;
    client->input_last = last;
    porthouse_heard(client);
    return true;
}

/* Full jitter: anywhere between nothing and a bound that doubles with each try. */
static uint32_t next_delay(porthouse_t *client)
{
    const porthouse_options_t *options = client->options;
    const uint32_t max = options->backoff_ms_max != 0 ? options->backoff_ms_max : BACKOFF_MS_MAX;
    uint64_t bound = options->backoff_ms != 0 ? options->backoff_ms : BACKOFF_MS;
    bound <<= client->attempt;
    if (bound >= max) bound = max;
    else client->attempt++;
    if (options->random) bound = (bound * options->random(options->context)) >> 32;
    /* Not before the gateway's own time [PH-9.4]. */
    if (bound < client->retry_after_ms) bound = client->retry_after_ms;
    client->retry_after_ms = 0;
    return bound < PORTHOUSE_AHEAD_MS ? (uint32_t)bound : PORTHOUSE_AHEAD_MS;
}

void porthouse_established(porthouse_t *client)
{
    client->attempt = 0;
    client->answers = 0;
}

void porthouse_end(porthouse_t *client, porthouse_code_t code)
{
    client->phase = PORTHOUSE_PHASE_ENDING;
    client->code = code;
    client->again = porthouse_code_temporary(code);
    client->input.length = 0;
    client->out_length = client->out_taken = 0;
    porthouse_rooms_end(client);
    /* The token that this connection was given is good for so long after it. */
    if (client->resume_ms != 0) client->resume_until_ms = client->now_ms + client->resume_ms;
    client->resume_ms = 0;
}

/* PH-9.3: which also knows codes newer than the table. */
static bool may_return(uint16_t close)
{
    switch (close) {
    case 1001:
    case 1006:
    case 1011:
    case 1012:
    case 1013:
        return true;
    default:
        return close >= 4000 && close <= 4499;
    }
}

void porthouse_closed(porthouse_t *client, uint32_t now_ms, uint16_t close)
{
    const uint8_t phase = client->phase;
    client->now_ms = now_ms;
    if (phase != PORTHOUSE_PHASE_DIALLING && phase != PORTHOUSE_PHASE_OPEN &&
        phase != PORTHOUSE_PHASE_CLOSING) {
        return;
    }
    /* 1005: without a code. */
    const bool told = close != 0 && close != 1005;
    porthouse_code_t code = PORTHOUSE_UNAVAILABLE;
    if (phase == PORTHOUSE_PHASE_CLOSING) code = client->code;
    else if (close >= 4000) code = (close - 4000u) % 500u;
    porthouse_end(client, code);
    if (told) client->again = may_return(close);
}

void porthouse_close(porthouse_t *client)
{
    if (client->phase == PORTHOUSE_PHASE_OVER) return;
    porthouse_end(client, PORTHOUSE_OK);
}

uint32_t porthouse_tick(porthouse_t *client, uint32_t now_ms)
{
    client->now_ms = now_ms;
    switch (client->phase) {
    case PORTHOUSE_PHASE_OPEN:
        if (client->welcomed) return porthouse_heartbeat_tick(client);
        break;
    case PORTHOUSE_PHASE_DIALLING:
    case PORTHOUSE_PHASE_CLOSING:
    case PORTHOUSE_PHASE_WAITING:
        break;
    case PORTHOUSE_PHASE_OVER:
        return UINT32_MAX;
    default:
        return 0;
    }
    if (!porthouse_is_due(client, client->due_ms)) return client->due_ms - now_ms;
    if (client->phase == PORTHOUSE_PHASE_WAITING) client->phase = PORTHOUSE_PHASE_DIAL;
    else if (client->phase == PORTHOUSE_PHASE_CLOSING) porthouse_end(client, client->code);
    else porthouse_end(client, PORTHOUSE_UNAVAILABLE);
    return 0;
}

bool porthouse_next_phase(porthouse_t *client, porthouse_event_t *event)
{
    switch (client->phase) {
    case PORTHOUSE_PHASE_DIAL:
        client->phase = PORTHOUSE_PHASE_DIALLING;
        expect(client);
        event->kind = PORTHOUSE_CONNECT;
        return true;
    case PORTHOUSE_PHASE_ENDING:
        if (porthouse_uncertain(client, event)) return true;
        event->kind = PORTHOUSE_ENDED;
        event->code = client->code;
        event->as.ended.again = client->again;
        client->phase = PORTHOUSE_PHASE_OVER;
        if (client->again) {
            event->as.ended.delay_ms = next_delay(client);
            client->due_ms = client->now_ms + event->as.ended.delay_ms;
            client->phase = PORTHOUSE_PHASE_WAITING;
        }
        return true;
    default:
        return false;
    }
}

void porthouse_last_word(porthouse_t *client, porthouse_code_t code, uint32_t retry_after_ms)
{
    client->phase = PORTHOUSE_PHASE_CLOSING;
    client->code = code;
    client->retry_after_ms = retry_after_ms;
    client->input.length = 0;
    client->due_ms = client->now_ms + CLOSE_MS;
}
