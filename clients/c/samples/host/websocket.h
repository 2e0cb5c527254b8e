/* One connection: TCP, the handshake, and frames by wslay. */
#ifndef WEBSOCKET_H
#define WEBSOCKET_H

#include <porthouse.h>
#include <porthouse/websocket.h>
#include <wslay/wslay.h>

#include "tcp.h"

/* Where its bytes and its end go. */
typedef struct {
    void *host;
    void (*on_open)(void *host);
    /* Some bytes of a packet; `last` with those that end it. */
    void (*on_bytes)(void *host, const uint8_t *bytes, size_t length, bool last);
} websocket_listener_t;

typedef struct {
    websocket_listener_t listener;
    tcp_t tcp;
    porthouse_websocket_t handshake;
    wslay_event_context_ptr frames;
    /* The request while it goes out; then what came behind the answer. */
    uint8_t bytes[2048];
    size_t length, at;
    bool asked;
    uint8_t opcode;
    /* Why it is over: a code that this side found, or a close code; 0 without one. */
    bool over;
    porthouse_code_t refused;
    uint16_t status;
} websocket_t;

/* Begins to connect; where that cannot be, it is over at once. */
void websocket_open(websocket_t *websocket, const porthouse_websocket_url_t *url);

/* What to wait for, as poll() has it. */
short websocket_wants(const websocket_t *websocket);

/* Reads and writes what can be, and tells its listener. */
void websocket_work(websocket_t *websocket);

/* Whether a packet can be sent now; and sends it. */
bool websocket_ready(const websocket_t *websocket);
void websocket_send(websocket_t *websocket, porthouse_view_t packet);

/* Closes it; `status` is for the gateway. */
void websocket_close(websocket_t *websocket, uint16_t status);

#endif
