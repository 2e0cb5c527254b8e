/*
 * The porthouse client for small machines: a state machine that does no I/O. Bytes and time go in,
 * bytes and events come out; which transport carries the bytes is the application's choice. It
 * allocates nothing and keeps no global state: all of it is in one porthouse_t, and in two buffers
 * that the application gives.
 *
 *     porthouse_init(&client, &options);
 *     for (;;) {
 *         porthouse_event_t event;
 *         while (porthouse_next(&client, &event)) handle(&event);
 *         while (porthouse_output(&client, &packet)) write it, then porthouse_sent(&client);
 *         wait for bytes, for at most porthouse_tick(&client, now) milliseconds;
 *         porthouse_received(&client, now, bytes, length, true);
 *     }
 *
 * `now` is a clock in milliseconds that never goes back but may wrap. No function may be called
 * from two threads at once for one porthouse_t.
 *
 * What fails, fails with a code of docs/codes.md. Whatever a gateway sends, the client takes it as
 * an event or ends the connection with a code; it is never asked twice for what it was refused.
 */
#ifndef PORTHOUSE_H
#define PORTHOUSE_H

#include "porthouse/code.h"
#include "porthouse/event.h"
#include "porthouse/frame.h"
#include "porthouse/limits.h"
#include "porthouse/options.h"
#include "porthouse/send.h"
#include "porthouse/state.h"
#include "porthouse/view.h"

#define PORTHOUSE_VERSION "0.1.0"

/* What a WebSocket has to offer as its subprotocol [PH-1.2]. */
#define PORTHOUSE_SUBPROTOCOL "porthouse.v1"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * `options`, and what its views point to, must stay as they are as long as the client is used. The
 * first event is PORTHOUSE_CONNECT.
 */
void porthouse_init(porthouse_t *client, const porthouse_options_t *options);

/* --- The transport ------------------------------------------------------------------------- */

/* The transport is open, after PORTHOUSE_CONNECT: on WebSocket the upgrade is done. */
void porthouse_opened(porthouse_t *client, uint32_t now_ms);

/*
 * Bytes of a packet; `last` with those that end it (FIN of a WebSocket message; always with MQTT).
 * They must stay as they are until porthouse_next() has returned false: a frame that is there as a
 * whole is read where it is. False: what came before was not taken yet, or nothing is connected;
 * then nothing was taken.
 */
bool porthouse_received(porthouse_t *client, uint32_t now_ms, const void *bytes, size_t length,
                        bool last);

/*
 * The transport has ended, or could not be opened. `close` is the close code of a WebSocket, where
 * it has one, which says whether to connect again [PH-9.3]; 0: it just ended.
 */
void porthouse_closed(porthouse_t *client, uint32_t now_ms, uint16_t close);

/*
 * The next packet to send, if there is one: a binary message of WebSocket; on MQTT,
 * porthouse_frame() takes it apart. One without bytes is a heartbeat. Valid until porthouse_sent()
 * says that the transport has taken it; nothing may be asked of the client in between.
 */
bool porthouse_output(porthouse_t *client, porthouse_view_t *packet);
void porthouse_sent(porthouse_t *client);

/* --- Time and events ----------------------------------------------------------------------- */

/* Says what time it is. Milliseconds until it wants to know again, at the latest. */
uint32_t porthouse_tick(porthouse_t *client, uint32_t now_ms);

/* The next event, if there is one. What it points to is valid until the next call. */
bool porthouse_next(porthouse_t *client, porthouse_event_t *event);

/* --- What an application says -------------------------------------------------------------- */

/*
 * Sends a message. `id`, which may be NULL, is the one that its PORTHOUSE_RECEIPT will have. Not
 * connected: UNAVAILABLE, the buffer is full or as many are in flight as may be: QUEUE_FULL, and it
 * may be tried again; over a bound of this gateway: PAYLOAD_TOO_LARGE; a channel without a room
 * that it is in: ROUTE_UNKNOWN.
 */
porthouse_code_t porthouse_send(porthouse_t *client, const porthouse_send_t *message, uint32_t *id);

/*
 * Enters a room, now or when connected, and again after each reconnection, from the last position
 * heard. The address must stay as it is until it was left. Answered by PORTHOUSE_JOINED or
 * PORTHOUSE_REFUSED. Over PORTHOUSE_ROOMS: ROOM_LIMIT.
 */
porthouse_code_t porthouse_join(porthouse_t *client, const porthouse_join_t *join);

/* Leaves what was joined by that address; answered by PORTHOUSE_LEFT if connected. */
porthouse_code_t porthouse_leave(porthouse_t *client, porthouse_view_t address);

/* The room, channel or group that was joined by that address; NULL: none. */
const porthouse_room_t *porthouse_room(const porthouse_t *client, porthouse_view_t address);

/*
 * Answers a challenge by hand. Its `lock` may be empty: the newest that waits for the answer's
 * acceptor, or given ahead [PH-5.4]. Answered by PORTHOUSE_VERDICT, another PORTHOUSE_CHALLENGE or
 * PORTHOUSE_REFUSED.
 */
porthouse_code_t porthouse_answer(porthouse_t *client, porthouse_view_t lock,
                                  const porthouse_Answer *answer);

/*
 * Sends any other request, as porthouse_request(&client, porthouse_Frame_command_tag,
 * &porthouse_Command_msg, &command, &id). Its answer is PORTHOUSE_FRAME or PORTHOUSE_REFUSED with
 * that id.
 */
porthouse_code_t porthouse_request(porthouse_t *client, uint32_t kind, const pb_msgdesc_t *type,
                                   const void *message, uint32_t *id);

/* Leaves for good: PORTHOUSE_ENDED follows, and nothing after it. */
void porthouse_close(porthouse_t *client);

#ifdef __cplusplus
}
#endif

#endif
