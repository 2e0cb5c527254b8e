/*
 * Signs of life [PH-10.1, PH-10.2]: whoever is quiet for an interval is asked by an empty packet,
 * and given up after another.
 */
#include "client.h"

/* Whatever the gateway says, no more than 20 heartbeats a second. */
#define INTERVAL_MS_MIN 50
/* Of a gateway that does not say. */
#define INTERVAL_MS 30000

void porthouse_heartbeat_start(porthouse_t *client, uint32_t interval_ms)
{
    if (interval_ms == 0) interval_ms = INTERVAL_MS;
    if (interval_ms < INTERVAL_MS_MIN) interval_ms = INTERVAL_MS_MIN;
    if (interval_ms > PORTHOUSE_AHEAD_MS) interval_ms = PORTHOUSE_AHEAD_MS;
    client->heartbeat_ms = interval_ms;
    client->heard_ms = client->spoke_ms = client->now_ms;
}

void porthouse_heard(porthouse_t *client)
{
    client->heard_ms = client->now_ms;
    client->beat_unanswered = false;
}

uint32_t porthouse_heartbeat_tick(porthouse_t *client)
{
    if (client->heartbeat_ms == 0) return UINT32_MAX;
    if (client->beat_unanswered) {
        if (porthouse_is_due(client, client->due_ms)) {
            porthouse_end(client, PORTHOUSE_HEARTBEAT_TIMEOUT);
            return 0;
        }
        return client->due_ms - client->now_ms;
    }
    /* The gateway too counts silence, so a client that only listens has to speak. */
    const bool spoke_first = (int32_t)(client->heard_ms - client->spoke_ms) > 0;
    const uint32_t since_ms = spoke_first ? client->spoke_ms : client->heard_ms;
    const uint32_t due_ms = since_ms + client->heartbeat_ms;
    if (!porthouse_is_due(client, due_ms)) return due_ms - client->now_ms;
    client->beat_due = true;
    client->beat_unanswered = true;
    client->due_ms = client->now_ms + client->heartbeat_ms;
    return client->heartbeat_ms;
}
