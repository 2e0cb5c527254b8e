/* Takes cases on stdin and tells on stdout what came of them, as peer.proto says. */
#include <stdio.h>
#include <stdlib.h>

#include "play.h"

enum { MESSAGE_BYTES_MAX = 64 * 1024 * 1024 };

/* Gives false at the end of stdin. */
static bool read_message(bytes_t *message)
{
    uint8_t head[4], part[4096];
    if (fread(head, 1, sizeof head, stdin) != sizeof head) return false;
    size_t left = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
    message->length = 0;
    if (left > MESSAGE_BYTES_MAX) return false;
    while (left > 0) {
        size_t length = fread(part, 1, left < sizeof part ? left : sizeof part, stdin);
        if (length == 0) return false;
        bytes_add(message, part, length);
        left -= length;
    }
    return true;
}

static void write_message(const bytes_t *message)
{
    size_t length = message->length;
    const uint8_t head[4] = {(uint8_t)(length >> 24), (uint8_t)(length >> 16),
                             (uint8_t)(length >> 8), (uint8_t)length};
    fwrite(head, 1, sizeof head, stdout);
    if (length > 0) fwrite(message->data, 1, length, stdout);
    fflush(stdout);
}

int main(void)
{
    static const char *const FEATURES[] = {
        "history", "cursor", "presence", "resume",   "reconnect", "nested-locks",
        "prompts", "password", "preset", "direct",   "heartbeat",
    };
    bytes_t request = {0}, response = {0};
    mosquitto_lib_init();
    put_view(&response, 1, porthouse_view("porthouse-c " PORTHOUSE_VERSION));
    put_number(&response, 2, WEBSOCKET);
    put_number(&response, 2, MQTT3);
    for (size_t i = 0; i < sizeof FEATURES / sizeof *FEATURES; i++)
        put_view(&response, 3, porthouse_view(FEATURES[i]));
    write_message(&response);
    while (read_message(&request)) {
        response.length = 0;
        play_case(bytes_view(&request), &response);
        write_message(&response);
    }
    mosquitto_lib_cleanup();
    bytes_free(&request);
    bytes_free(&response);
    return 0;
}
