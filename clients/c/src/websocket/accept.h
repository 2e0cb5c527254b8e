/* The key of a handshake, and what a server has to make of it (RFC 6455, section 4.2.2). */
#ifndef PORTHOUSE_WEBSOCKET_ACCEPT_H
#define PORTHOUSE_WEBSOCKET_ACCEPT_H

#include <stdint.h>

/* The base64 of 16 bytes. */
void websocket_key(const uint8_t random[16], char key[25]);

/* The base64 of the SHA-1 of the key and a constant. */
void websocket_accept(const char key[25], char accept[29]);

#endif
