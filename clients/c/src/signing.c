/*
 * What acceptor ssh-key asks to be signed: six strings of SSH (RFC 4251), which name the gateway
 * that was dialled, this socket and the place, so that the signature is of no use anywhere else.
 */
#include <string.h>

#include "client.h"

enum { NONCE_BYTES = 32 };

/* Its length in 4 bytes, and its bytes. */
static bool append(porthouse_buffer_t *left, porthouse_view_t part)
{
    if (left->size < 4 || left->size - 4 < part.length) return false;
    for (unsigned i = 0; i < 4; i++) left->data[i] = (uint8_t)(part.length >> (24 - 8 * i));
    if (part.length > 0) memcpy(left->data + 4, part.data, part.length);
    left->data += 4 + part.length;
    left->size -= 4 + part.length;
    return true;
}

bool porthouse_sign(porthouse_t *client, const porthouse_Challenge *challenge,
                    uint8_t signature[64])
{
    const porthouse_options_t *options = client->options;
    const porthouse_Nonce *nonce = &challenge->ask.nonce;
    const porthouse_view_t own = {(const uint8_t *)client->socket, client->socket_length};
    /* Signed for another socket it would open that one's lock. MQTT does not tell which it is. */
    if (nonce->nonce.length != NONCE_BYTES) return false;
    if (own.length > 0 && !porthouse_same(nonce->socket, own)) return false;

    /* What is not used yet of the buffer for packets has place for it. */
    const porthouse_buffer_t whole = porthouse_free(client);
    porthouse_buffer_t left = whole;
    return append(&left, porthouse_view("porthouse login v1")) &&
           append(&left, options->gateway) && append(&left, nonce->socket) &&
           append(&left, nonce->nonce) && append(&left, options->client) &&
           append(&left, challenge->place) &&
           options->sign(options->context, whole.data, whole.size - left.size, signature);
}
