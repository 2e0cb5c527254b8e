/*
 * The first packet of a connection, its answer, and what the next one goes on from [PH-4].
 */
#include <string.h>

#include "client.h"

static bool say_hello(porthouse_t *client)
{
    static const porthouse_view_t capabilities[] = {PORTHOUSE_TEXT("resume"),
                                                    PORTHOUSE_TEXT("events")};
    porthouse_Hello hello = porthouse_Hello_init_zero;
    hello.agent = client->options->agent;
    if (hello.agent.length == 0) hello.agent = porthouse_view("porthouse-c/" PORTHOUSE_VERSION);
    hello.capabilities.items = capabilities;
    hello.capabilities.count = client->options->events ? 2 : 1;
    if (client->resuming) {
        hello.resume.data = (const uint8_t *)client->resume;
        hello.resume.length = client->resume_length;
    }
    return porthouse_request(client, porthouse_Frame_hello_tag, &porthouse_Hello_msg, &hello,
                             &client->hello_id) == PORTHOUSE_OK;
}

/*
 * Whatever is to be said and was not yet, as far as the buffer has place: at first Hello, the
 * answers that nobody has to ask for, and the rooms.
 */
void porthouse_greet(porthouse_t *client)
{
    if (!client->welcomed && client->hello_id == 0 && !say_hello(client)) {
        porthouse_end(client, PORTHOUSE_FRAME_TOO_LARGE);
        return;
    }
    porthouse_give_ahead(client);
    porthouse_rooms_ask(client);
}

static void take_limits(porthouse_t *client, const porthouse_Limits *limits)
{
    client->packet_bytes = limits->packet_bytes;
    client->packet_frames = limits->packet_frames;
    client->frame_bytes = limits->frame_bytes;
    client->payload_bytes = limits->payload_bytes;
}

bool porthouse_welcome(porthouse_t *client, const porthouse_frame_t *frame,
                       porthouse_event_t *event)
{
    porthouse_Welcome *welcome = &event->as.welcome;
    if (client->welcomed || !client->greeted || frame->id != client->hello_id) {
        porthouse_end(client, PORTHOUSE_FRAME_NOT_ALLOWED);
        return false;
    }
    if (!porthouse_decode(client, frame->body, &porthouse_Welcome_msg, welcome)) return false;
    if (welcome->socket.length > PORTHOUSE_SOCKET_BYTES) {
        porthouse_end(client, PORTHOUSE_NAME_TOO_LONG);
        return false;
    }
    event->kind = PORTHOUSE_WELCOME;
    client->welcomed = true;
    client->socket_length = (uint8_t)welcome->socket.length;
    if (welcome->socket.length > 0) {
        memcpy(client->socket, welcome->socket.data, welcome->socket.length);
    }
    take_limits(client, &welcome->limits);
    porthouse_heartbeat_start(client, welcome->heartbeat_ms);
    if (welcome->resumed) {
        porthouse_established(client);
    } else if (client->resuming) {
        client->resume_length = 0;
        porthouse_locks_start(client, true);
    }
    return true;
}

void porthouse_resume(porthouse_t *client, const porthouse_frame_t *frame)
{
    porthouse_Resume resume = porthouse_Resume_init_zero;
    if (!porthouse_decode(client, frame->body, &porthouse_Resume_msg, &resume)) return;
    const bool fits = resume.token.length <= PORTHOUSE_RESUME_BYTES;
    client->resume_length = fits ? (uint8_t)resume.token.length : 0;
    if (!fits || resume.token.length == 0) return;
    memcpy(client->resume, resume.token.data, resume.token.length);
    const bool is_long = resume.expires_ms > PORTHOUSE_AHEAD_MS;
    client->resume_ms = is_long ? PORTHOUSE_AHEAD_MS : resume.expires_ms;
}
