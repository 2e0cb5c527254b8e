/* What the handshake asks for, and which answers it takes: as a whole, and byte by byte. */
#include "porthouse/websocket.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPEN PORTHOUSE_WEBSOCKET_OPEN
#define WAITING PORTHOUSE_WEBSOCKET_WAITING
#define REFUSED PORTHOUSE_WEBSOCKET_REFUSED

#define HEAD "HTTP/1.1 101 Switching Protocols\r\n"
#define UPGRADE "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define ACCEPT "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
#define PROTOCOL "Sec-WebSocket-Protocol: porthouse.v1\r\n"
#define PROBLEM "Content-Type: application/problem+json\r\n\r\n{\"title\":\"no\",\"status\":404,"

static int failures;

static void expect(int right, const char *what, const char *of)
{
    if (right) return;
    fprintf(stderr, "%s: %s\n", what, of);
    failures++;
}

static int is(const char *text, size_t length, const char *wanted)
{
    return length == strlen(wanted) && memcmp(text, wanted, length) == 0;
}

static void splits(const char *text, const char *host, unsigned port, const char *path)
{
    porthouse_websocket_url_t url;
    expect(porthouse_websocket_split(text, &url), "is a URL", text);
    expect(is(url.host, url.host_length, host), "host", text);
    expect(url.port == port, "port", text);
    expect(is(url.path, url.path_length, path), "path", text);
    expect(url.secure == (text[2] == 's'), "scheme", text);
}

static void urls(void)
{
    static const char *const wrong[] = {
        "", "ws:", "ws://", "http://hub", "ws://:80", "ws://hub:", "ws://hub:0", "ws://hub:65536",
        "ws://hub:8o", "ws://[::1", "ws://[]/", "ws://[::1]x", "ws://a@b/", "ws://hub/#a",
        "ws://hub/a b", "ws://hub/a\r\nb", "ws://hub?a", "ws://h\xc3\xbc/",
    };
    porthouse_websocket_url_t url;
    splits("ws://127.0.0.1:8080", "127.0.0.1", 8080, "/v1/ws");
    splits("wss://hub.example/", "hub.example", 443, "/v1/ws");
    splits("ws://hub/acme/door/~secret?a=b", "hub", 80, "/acme/door/~secret?a=b");
    splits("wss://[::1]:8443/acme/door", "::1", 8443, "/acme/door");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        expect(!porthouse_websocket_split(wrong[i], &url), "is no URL", wrong[i]);
}

/* A handshake with the key of RFC 6455, section 1.3. */
static porthouse_websocket_t begun(void)
{
    porthouse_websocket_t websocket;
    porthouse_websocket_url_t url;
    char request[300];
    porthouse_websocket_split("wss://[::1]:8443/acme/door", &url);
    size_t length = porthouse_websocket_request(
        &websocket, &url, (const uint8_t *)"the sample nonce", request, sizeof request);
    static const char wanted[] = "GET /acme/door HTTP/1.1\r\n"
                                 "Host: [::1]:8443\r\n"
                                 "Upgrade: websocket\r\n"
                                 "Connection: Upgrade\r\n"
                                 "Sec-WebSocket-Version: 13\r\n"
                                 "Sec-WebSocket-Protocol: porthouse.v1\r\n"
                                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    expect(length == sizeof wanted - 1 && !memcmp(request, wanted, length), "request", wanted);
    for (size_t size = 0; size < length; size++) {
        char *small = malloc(size + 1);
        expect(porthouse_websocket_request(&websocket, &url, (const uint8_t *)"the sample nonce",
                                           small, size) == 0, "has no room", "request");
        free(small);
    }
    return websocket;
}

static const porthouse_websocket_t *after(const char *answer, size_t piece,
                                               porthouse_websocket_state_t wanted,
                                               size_t frames)
{
    static porthouse_websocket_t websocket;
    porthouse_websocket_state_t state = WAITING;
    size_t length = strlen(answer), at = 0;
    websocket = begun();
    while (at < length && state == WAITING) {
        size_t used;
        /* Of its own size, so that a byte too far is seen. */
        size_t size = piece < length - at ? piece : length - at;
        char *bytes = malloc(size);
        memcpy(bytes, answer + at, size);
        state = porthouse_websocket_answer(&websocket, bytes, size, &used);
        free(bytes);
        at += used;
    }
    expect(state == wanted, "state", answer);
    if (wanted == OPEN) expect(length - at == frames, "frames", answer);
    if (wanted == WAITING) {
        expect(porthouse_websocket_answer(&websocket, NULL, 0, &at) == REFUSED, "ends", answer);
    }
    return &websocket;
}

static void opens(const char *answer, size_t frames)
{
    after(answer, strlen(answer), OPEN, frames);
    after(answer, 1, OPEN, frames);
}

static void refuses(const char *answer, porthouse_websocket_state_t state, porthouse_code_t code)
{
    const char *name = porthouse_code_name(code);
    expect(after(answer, strlen(answer), state, 0)->code == code, name, answer);
    expect(after(answer, 1, state, 0)->code == code, name, answer);
}

static void answers(void)
{
    opens(HEAD UPGRADE ACCEPT PROTOCOL "\r\n", 0);
    opens(HEAD UPGRADE ACCEPT PROTOCOL "\r\n\x82\x01x", 3);
    opens("HTTP/1.1 101\r\nserver: a\r\nUPGRADE:WebSocket \r\nconnection:  keep-alive , upgrade\r\n"
          ACCEPT PROTOCOL "\r\n", 0);
    refuses(HEAD UPGRADE ACCEPT "\r\n", REFUSED, PORTHOUSE_HANDSHAKE_INVALID);
    refuses(HEAD UPGRADE PROTOCOL "\r\n", REFUSED, PORTHOUSE_HANDSHAKE_INVALID);
    refuses(HEAD ACCEPT PROTOCOL "\r\n", REFUSED, PORTHOUSE_HANDSHAKE_INVALID);
    refuses(HEAD UPGRADE ACCEPT "Sec-WebSocket-Protocol: porthouse.v1.json\r\n\r\n", REFUSED,
            PORTHOUSE_HANDSHAKE_INVALID);
    refuses(HEAD UPGRADE ACCEPT PROTOCOL "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
            REFUSED, PORTHOUSE_HANDSHAKE_INVALID);
    refuses(HEAD UPGRADE PROTOCOL "Sec-WebSocket-Accept: S3PPLMBITXAQ9KYGZZHZRBK+XOO=\r\n\r\n",
            REFUSED, PORTHOUSE_HANDSHAKE_INVALID);
    refuses("SSH-2.0-OpenSSH_9.2\r\n\r\n", REFUSED, PORTHOUSE_HANDSHAKE_INVALID);
    refuses("HTTP/1.1 404 Not Found\r\n" PROBLEM "\"code\":\"PATH_UNKNOWN\"}", REFUSED,
            PORTHOUSE_PATH_UNKNOWN);
    refuses("HTTP/1.1 404 Not Found\r\n" PROBLEM "\"code\":\"path\"}", REFUSED,
            PORTHOUSE_HANDSHAKE_INVALID);
    refuses("HTTP/1.1 404 Not Found\r\n" PROBLEM
            "\"code\":\"A_NAME_THAT_IS_LONGER_THAN_ANY_CODE_OF_THE_TABLE_IS\"}",
            REFUSED, PORTHOUSE_HANDSHAKE_INVALID);
    refuses("HTTP/1.1 429 Too Many Requests\r\n\r\n", WAITING, PORTHOUSE_UNAVAILABLE);
    refuses("HTTP/1.1 502 Bad Gateway\r\n\r\n<html>", WAITING, PORTHOUSE_UNAVAILABLE);
    refuses(HEAD UPGRADE, WAITING, PORTHOUSE_UNAVAILABLE);
    refuses("", WAITING, PORTHOUSE_UNAVAILABLE);
    refuses("HTTP/1.1 10", WAITING, PORTHOUSE_UNAVAILABLE);
    expect(after("HTTP/1.1 503 No\r\nRetry-After: 17\r\n\r\n", 1, WAITING, 0)->retry_after_s == 17,
           "retry", "17");
}

/* A gateway that never comes to an end. */
static void floods(void)
{
    static char flood[PORTHOUSE_WEBSOCKET_ANSWER_MAX + 2];
    memset(flood, 'a', sizeof flood - 1);
    refuses(flood, REFUSED, PORTHOUSE_HANDSHAKE_INVALID);
    memset(flood, '\n', sizeof flood - 1);
    refuses(flood, REFUSED, PORTHOUSE_HANDSHAKE_INVALID);
    memset(flood, 'a', sizeof flood - 1);
    memcpy(flood, "HTTP/1.1 500 a\r\n\r\n", 18);
    refuses(flood, REFUSED, PORTHOUSE_UNAVAILABLE);
}

int main(void)
{
    urls();
    answers();
    floods();
    return failures > 0;
}
