/* The request that asks for a WebSocket (RFC 6455, section 4.1). */
#include <string.h>

#include "accept.h"
#include "porthouse/websocket.h"

struct writer {
    char *at;
    size_t left;
    bool full;
};

static void put(struct writer *writer, const char *text, size_t length)
{
    if (length > writer->left) writer->full = true;
    if (writer->full) return;
    memcpy(writer->at, text, length);
    writer->at += length;
    writer->left -= length;
}

static void put_text(struct writer *writer, const char *text)
{
    put(writer, text, strlen(text));
}

size_t porthouse_websocket_request(porthouse_websocket_t *websocket,
                                   const porthouse_websocket_url_t *url,
                                   const uint8_t random[16], char *request, size_t size)
{
    struct writer writer = {request, size, false};
    char key[25];
    memset(websocket, 0, sizeof *websocket);
    websocket_key(random, key);
    websocket_accept(key, websocket->accept);
    put_text(&writer, "GET ");
    put(&writer, url->path, url->path_length);
    put_text(&writer, " HTTP/1.1\r\nHost: ");
    put(&writer, url->authority, url->authority_length);
    put_text(&writer, "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                      "Sec-WebSocket-Version: 13\r\n"
                      "Sec-WebSocket-Protocol: porthouse.v1\r\n"
                      "Sec-WebSocket-Key: ");
    put_text(&writer, key);
    put_text(&writer, "\r\n\r\n");
    return writer.full ? 0 : size - writer.left;
}
