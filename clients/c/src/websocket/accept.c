/* Sec-WebSocket-Key and Sec-WebSocket-Accept: SHA-1 (RFC 3174) of 60 bytes, and base64. */
#include "accept.h"

#include <stddef.h>
#include <string.h>

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define BLOCK 64
#define SAID 60 /* 24 of the key, 36 of the constant */

static uint32_t rotate(uint32_t word, int by)
{
    return word << by | word >> (32 - by);
}

static uint32_t mix(int round, uint32_t b, uint32_t c, uint32_t d)
{
    if (round < 20) return ((b & c) | (~b & d)) + 0x5a827999u;
    if (round < 40) return (b ^ c ^ d) + 0x6ed9eba1u;
    if (round < 60) return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdcu;
    return (b ^ c ^ d) + 0xca62c1d6u;
}

static void digest_block(uint32_t digest[5], const uint8_t block[BLOCK])
{
    uint32_t words[16];
    uint32_t a = digest[0], b = digest[1], c = digest[2], d = digest[3], e = digest[4];
    for (int i = 0; i < 16; i++) {
        const uint8_t *at = block + 4 * i;
        words[i] = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
    }
    for (int round = 0; round < 80; round++) {
        uint32_t *word = &words[round & 15];
        if (round >= 16) {
            uint32_t before = words[(round + 13) & 15] ^ words[(round + 8) & 15];
            *word = rotate(*word ^ before ^ words[(round + 2) & 15], 1);
        }
        uint32_t next = rotate(a, 5) + mix(round, b, c, d) + e + *word;
        e = d, d = c, c = rotate(b, 30), b = a, a = next;
    }
    digest[0] += a, digest[1] += b, digest[2] += c, digest[3] += d, digest[4] += e;
}

static void encode(const uint8_t *bytes, size_t length, char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < length; i += 3) {
        uint32_t group = (uint32_t)bytes[i] << 16;
        if (i + 1 < length) group |= (uint32_t)bytes[i + 1] << 8;
        if (i + 2 < length) group |= bytes[i + 2];
        *text++ = digits[group >> 18];
        *text++ = digits[group >> 12 & 63];
        *text++ = i + 1 < length ? digits[group >> 6 & 63] : '=';
        *text++ = i + 2 < length ? digits[group & 63] : '=';
    }
    *text = '\0';
}

void websocket_key(const uint8_t random[16], char key[25])
{
    encode(random, 16, key);
}

void websocket_accept(const char key[25], char accept[29])
{
    uint32_t digest[5] = {0x67452301u, 0xefcdab89u, 0x98badcfeu, 0x10325476u, 0xc3d2e1f0u};
    uint8_t blocks[2 * BLOCK] = {0}, bytes[20];
    memcpy(blocks, key, 24);
    memcpy(blocks + 24, GUID, 36);
    blocks[SAID] = 0x80;
    blocks[2 * BLOCK - 2] = SAID * 8 >> 8;
    blocks[2 * BLOCK - 1] = SAID * 8 & 0xff;
    digest_block(digest, blocks);
    digest_block(digest, blocks + BLOCK);
    for (int i = 0; i < 20; i++) bytes[i] = (uint8_t)(digest[i / 4] >> (24 - 8 * (i % 4)));
    encode(bytes, sizeof bytes, accept);
}
