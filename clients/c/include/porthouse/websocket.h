/*
 * WebSocket beside the core: the opening handshake of RFC 6455 for the subprotocol porthouse.v1
 * [PH-1.1, PH-1.2]. It makes the request and reads the answer; sockets and TLS are the host's, and
 * frames are made and read by a library of its choice (samples/host has wslay). Each binary message
 * is one packet of the core.
 */
#ifndef PORTHOUSE_WEBSOCKET_H
#define PORTHOUSE_WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "porthouse/code.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bound of the gateway's answer, headers and the document of a refusal together. */
#ifndef PORTHOUSE_WEBSOCKET_ANSWER_MAX
#define PORTHOUSE_WEBSOCKET_ANSWER_MAX 4096
#endif

/* The longest line of it that is read; a longer one is none of those that matter. */
#define PORTHOUSE_WEBSOCKET_LINE_MAX 80

/* The parts of ws://host[:port][/path]; they point into the URL. */
typedef struct {
    const char *host; /* without the brackets of an IPv6 address */
    size_t host_length;
    const char *authority; /* host and port as written, for the header Host */
    size_t authority_length;
    const char *path; /* "/v1/ws", the main lobby, where the URL has none */
    size_t path_length;
    uint16_t port; /* 80 or 443 where the URL has none */
    bool secure;   /* wss */
} porthouse_websocket_url_t;

/* False: no such URL, or one with a user, a fragment, or bytes that would have to be encoded. */
bool porthouse_websocket_split(const char *text, porthouse_websocket_url_t *url);

typedef enum {
    PORTHOUSE_WEBSOCKET_WAITING, /* for more of the answer */
    PORTHOUSE_WEBSOCKET_OPEN,    /* what follows the bytes that were taken are frames */
    PORTHOUSE_WEBSOCKET_REFUSED  /* see code */
} porthouse_websocket_state_t;

/* One handshake. Where it is refused, read code and retry_after_s; the rest is its own. */
typedef struct {
    /*
     * What the gateway refuses with [PH-1.5]. Where it says nothing of the table: UNAVAILABLE, if
     * it may be tried again, or HANDSHAKE_INVALID.
     */
    porthouse_code_t code;
    uint32_t retry_after_s; /* not before so many seconds; 0: it does not say */

    char accept[29];
    char line[PORTHOUSE_WEBSOCKET_LINE_MAX + 1];
    size_t line_length;
    size_t taken;
    uint16_t status;
    uint8_t seen;
    bool in_body;
} porthouse_websocket_t;

/*
 * Begins a handshake and writes its request. `random` are 16 bytes that nobody can guess, new for
 * each connection. Gives the request's length; 0: it has no room in `size` bytes.
 */
size_t porthouse_websocket_request(porthouse_websocket_t *websocket,
                                   const porthouse_websocket_url_t *url, const uint8_t random[16],
                                   char *request, size_t size);

/*
 * Takes what the gateway answers, in pieces of any size, and tells in `used` how many bytes were
 * taken: those after them are the first frames. A length of 0 says that the connection has ended.
 */
porthouse_websocket_state_t porthouse_websocket_answer(porthouse_websocket_t *websocket,
                                                       const void *bytes, size_t length,
                                                       size_t *used);

#ifdef __cplusplus
}
#endif

#endif
