#define _DEFAULT_SOURCE
#include "websocket.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define PACKET_BYTES_MAX (1024 * 1024)

/* Control frames have it (RFC 6455, section 5.2). */
#define CONTROL 0x8

static void end(websocket_t *websocket, uint16_t status)
{
    websocket->over = true;
    websocket->status = status;
}

/* Ends because of what the gateway does, which no close code of it can tell. */
static void refuse(websocket_t *websocket, porthouse_code_t code)
{
    websocket->refused = code;
    end(websocket, 0);
}

/* --- Frames --------------------------------------------------------------------------------- */

static bool is_away(void)
{
    return errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR;
}

static ssize_t read_bytes(wslay_event_context_ptr frames, uint8_t *bytes, size_t size, int flags,
                          void *of)
{
    websocket_t *websocket = of;
    (void)flags;
    if (websocket->at < websocket->length) {
        size_t early = websocket->length - websocket->at;
        if (early > size) early = size;
        memcpy(bytes, websocket->bytes + websocket->at, early);
        websocket->at += early;
        return (ssize_t)early;
    }
    /* Who asks faster than he hears has to wait: what waits for him is bounded so. */
    if (wslay_event_get_queued_msg_count(frames) > 0) {
        wslay_event_set_error(frames, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    ssize_t length = tcp_read(&websocket->tcp, bytes, size);
    if (length > 0) return length;
    bool away = length == 0 || is_away();
    wslay_event_set_error(frames, away ? WSLAY_ERR_CALLBACK_FAILURE : WSLAY_ERR_WOULDBLOCK);
    return -1;
}

static ssize_t write_bytes(wslay_event_context_ptr frames, const uint8_t *bytes, size_t length,
                           int flags, void *of)
{
    websocket_t *websocket = of;
    (void)flags;
    ssize_t written = tcp_write(&websocket->tcp, bytes, length);
    if (written >= 0) return written;
    wslay_event_set_error(frames, is_away() ? WSLAY_ERR_CALLBACK_FAILURE : WSLAY_ERR_WOULDBLOCK);
    return -1;
}

static int make_mask(wslay_event_context_ptr frames, uint8_t *mask, size_t length, void *of)
{
    (void)frames, (void)of;
    return getentropy(mask, length);
}

static void begin_frame(wslay_event_context_ptr frames,
                        const struct wslay_event_on_frame_recv_start_arg *frame, void *of)
{
    websocket_t *websocket = of;
    (void)frames;
    websocket->opcode = frame->opcode;
    if (frame->opcode == WSLAY_TEXT_FRAME) refuse(websocket, PORTHOUSE_WRONG_DATA_TYPE);
}

static void hear(websocket_t *websocket, const uint8_t *bytes, size_t length, bool last)
{
    if (websocket->over) return;
    websocket->listener.on_bytes(websocket->listener.host, bytes, length, last);
}

static void hear_chunk(wslay_event_context_ptr frames,
                       const struct wslay_event_on_frame_recv_chunk_arg *chunk, void *of)
{
    websocket_t *websocket = of;
    (void)frames;
    if (!(websocket->opcode & CONTROL)) hear(websocket, chunk->data, chunk->data_length, false);
    /* Of the close codes some are newer than wslay, and would be violations to it. */
    if (websocket->opcode == WSLAY_CONNECTION_CLOSE && chunk->data_length >= 2)
        end(websocket, (uint16_t)(chunk->data[0] << 8 | chunk->data[1]));
}

static void hear_end(wslay_event_context_ptr frames,
                     const struct wslay_event_on_msg_recv_arg *message, void *of)
{
    (void)frames;
    if (!(message->opcode & CONTROL)) hear(of, NULL, 0, true);
}

static const struct wslay_event_callbacks CALLBACKS = {
    read_bytes, write_bytes, make_mask, begin_frame, hear_chunk, NULL, hear_end,
};

/* What wslay found wrong, by the close code that it sends for it. */
static porthouse_code_t violation(wslay_event_context_ptr frames)
{
    if (!wslay_event_get_close_sent(frames)) return PORTHOUSE_OK;
    switch (wslay_event_get_status_code_sent(frames)) {
    case WSLAY_CODE_PROTOCOL_ERROR: return PORTHOUSE_MALFORMED_PACKET;
    case WSLAY_CODE_INVALID_FRAME_PAYLOAD_DATA: return PORTHOUSE_INVALID_UTF8;
    case WSLAY_CODE_MESSAGE_TOO_BIG: return PORTHOUSE_PACKET_TOO_LARGE;
    default: return PORTHOUSE_OK;
    }
}

static void work_frames(websocket_t *websocket)
{
    int heard = wslay_event_recv(websocket->frames);
    int sent = websocket->over ? 0 : wslay_event_send(websocket->frames);
    if (websocket->over) return;
    if (heard == 0 && sent == 0 && wslay_event_get_read_enabled(websocket->frames)) return;
    if (wslay_event_get_close_received(websocket->frames))
        end(websocket, wslay_event_get_status_code_received(websocket->frames));
    else refuse(websocket, violation(websocket->frames));
}

/* --- The handshake -------------------------------------------------------------------------- */

static void begin_frames(websocket_t *websocket)
{
    if (wslay_event_context_client_init(&websocket->frames, &CALLBACKS, websocket) != 0)
        return end(websocket, 0);
    /* The core takes a packet in pieces, so that nothing is kept here. */
    wslay_event_config_set_no_buffering(websocket->frames, 1);
    wslay_event_config_set_max_recv_msg_length(websocket->frames, PACKET_BYTES_MAX);
    websocket->listener.on_open(websocket->listener.host);
}

static void ask(websocket_t *websocket)
{
    const uint8_t *rest = websocket->bytes + websocket->at;
    ssize_t length = tcp_write(&websocket->tcp, rest, websocket->length - websocket->at);
    if (length > 0) websocket->at += (size_t)length;
    if (length < 0 && is_away()) end(websocket, 0);
    websocket->asked = websocket->at == websocket->length;
}

static void hear_answer(websocket_t *websocket)
{
    ssize_t length = tcp_read(&websocket->tcp, websocket->bytes, sizeof websocket->bytes);
    if (length < 0 && !is_away()) return;
    websocket->length = length > 0 ? (size_t)length : 0;
    switch (porthouse_websocket_answer(&websocket->handshake, websocket->bytes, websocket->length,
                                       &websocket->at)) {
    case PORTHOUSE_WEBSOCKET_OPEN:
        begin_frames(websocket);
        /* Frames may have come with the answer. */
        if (!websocket->over) work_frames(websocket);
        break;
    case PORTHOUSE_WEBSOCKET_REFUSED: refuse(websocket, websocket->handshake.code); break;
    default: break;
    }
}

/* --- The connection ------------------------------------------------------------------------- */

void websocket_open(websocket_t *websocket, const porthouse_websocket_url_t *url)
{
    websocket_listener_t listener = websocket->listener;
    uint8_t random[16];
    char host[256];
    memset(websocket, 0, sizeof *websocket);
    websocket->listener = listener;
    websocket->tcp.fd = -1;
    if (url->host_length >= sizeof host || getentropy(random, sizeof random) != 0)
        return end(websocket, 0);
    memcpy(host, url->host, url->host_length);
    host[url->host_length] = '\0';
    websocket->length = porthouse_websocket_request(
        &websocket->handshake, url, random, (char *)websocket->bytes, sizeof websocket->bytes);
    if (websocket->length == 0 || !tcp_open(&websocket->tcp, host, url->port)) end(websocket, 0);
}

short websocket_wants(const websocket_t *websocket)
{
    if (!websocket->asked) return POLLOUT;
    if (websocket->frames == NULL) return POLLIN;
    return websocket_ready(websocket) ? POLLIN : POLLOUT;
}

void websocket_work(websocket_t *websocket)
{
    if (websocket->tcp.fd < 0 || websocket->over) return;
    if (!tcp_connected(&websocket->tcp)) {
        if (websocket->tcp.fd < 0) end(websocket, 0);
    } else if (!websocket->asked) {
        ask(websocket);
    } else if (websocket->frames == NULL) {
        hear_answer(websocket);
    } else {
        work_frames(websocket);
    }
}

bool websocket_ready(const websocket_t *websocket)
{
    return websocket->frames != NULL && !websocket->over &&
           !wslay_event_want_write(websocket->frames);
}

void websocket_send(websocket_t *websocket, porthouse_view_t packet)
{
    struct wslay_event_msg message = {WSLAY_BINARY_FRAME, packet.data, packet.length};
    if (wslay_event_queue_msg(websocket->frames, &message) != 0) return end(websocket, 0);
    wslay_event_send(websocket->frames);
}

void websocket_close(websocket_t *websocket, uint16_t status)
{
    if (websocket->frames != NULL) {
        wslay_event_queue_close(websocket->frames, status, NULL, 0);
        wslay_event_send(websocket->frames);
        wslay_event_context_free(websocket->frames);
        websocket->frames = NULL;
    }
    tcp_close(&websocket->tcp);
}
