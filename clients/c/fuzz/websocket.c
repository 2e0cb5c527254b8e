/* Any URL and any answer, in pieces, leave the handshake where it says that it is. */
#include "porthouse/websocket.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_url(const uint8_t *data, size_t size)
{
    porthouse_websocket_url_t url;
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    if (porthouse_websocket_split(text, &url)) {
        if (url.port == 0 || url.host_length == 0 || url.path[0] != '/') abort();
        for (size_t i = 0; i < url.authority_length; i++)
            if (url.authority[i] <= ' ') abort();
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_url(data, size);
    porthouse_websocket_t websocket;
    porthouse_websocket_url_t url;
    char request[300];
    porthouse_websocket_split("ws://hub/", &url);
    porthouse_websocket_request(&websocket, &url, (const uint8_t *)"the sample nonce", request,
                                sizeof request);
    porthouse_websocket_state_t state = PORTHOUSE_WEBSOCKET_WAITING;
    while (size > 0 && state == PORTHOUSE_WEBSOCKET_WAITING) {
        /* The first byte of each piece says how long it is. */
        size_t piece = 1 + data[0] % size, used;
        state = porthouse_websocket_answer(&websocket, data, piece, &used);
        if (used == 0 || used > piece) abort();
        data += used, size -= used;
    }
    if (state == PORTHOUSE_WEBSOCKET_REFUSED && websocket.code == PORTHOUSE_OK) abort();
    return 0;
}
