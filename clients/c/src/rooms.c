/*
 * Rooms that the client is in, over all its connections, and how far it has heard them [PH-7,
 * PH-16].
 */
#include <string.h>

#include "client.h"

static bool is_used(const porthouse_room_t *room)
{
    return room->address.length > 0;
}

static void forget(porthouse_room_t *room)
{
    memset(room, 0, sizeof *room);
}

static porthouse_room_t *find(const porthouse_t *client, porthouse_view_t address)
{
    for (size_t i = 0; i < PORTHOUSE_ROOMS; i++) {
        const porthouse_room_t *room = &client->rooms[i];
        if (porthouse_same(room->address, address)) return (porthouse_room_t *)room;
    }
    return NULL;
}

static porthouse_room_t *find_asked(porthouse_t *client, uint32_t id)
{
    for (size_t i = 0; id != 0 && i < PORTHOUSE_ROOMS; i++) {
        if (client->rooms[i].id == id) return &client->rooms[i];
    }
    return NULL;
}

const porthouse_room_t *porthouse_room(const porthouse_t *client, porthouse_view_t address)
{
    return address.length > 0 ? find(client, address) : NULL;
}

porthouse_code_t porthouse_join(porthouse_t *client, const porthouse_join_t *join)
{
    const porthouse_view_t none = {NULL, 0};
    if (join->address.length == 0) return PORTHOUSE_ADDRESS_INVALID;
    porthouse_room_t *room = find(client, join->address);
    if (!room) room = find(client, none);
    if (!room) return PORTHOUSE_ROOM_LIMIT;
    forget(room);
    room->address = join->address;
    room->epoch = join->epoch;
    room->sequence = join->sequence;
    room->send_only = join->send_only;
    room->replayed = join->replayed;
    room->presence = join->presence;
    room->since = (unsigned)join->since & 3u;
    room->to_join = true;
    return PORTHOUSE_OK;
}

porthouse_code_t porthouse_leave(porthouse_t *client, porthouse_view_t address)
{
    porthouse_room_t *room = (porthouse_room_t *)porthouse_room(client, address);
    if (!room) return PORTHOUSE_TARGET_UNKNOWN;
    const bool is_asked = client->phase == PORTHOUSE_PHASE_OPEN && !room->to_join;
    if (is_asked) room->to_leave = true;
    else forget(room);
    return PORTHOUSE_OK;
}

void porthouse_rooms_end(porthouse_t *client)
{
    for (size_t i = 0; i < PORTHOUSE_ROOMS; i++) {
        porthouse_room_t *room = &client->rooms[i];
        if (room->to_leave) forget(room);
        room->route = room->id = 0;
        room->may_send = room->listening = room->catching_up = false;
        room->to_join = is_used(room);
    }
}

static bool ask(porthouse_t *client, porthouse_room_t *room, uint32_t action,
                const pb_msgdesc_t *type, const void *message)
{
    const porthouse_body_t body = {porthouse_Frame_room_tag, action, {NULL, 0}, type, message};
    return porthouse_ask(client, &body, &room->id) == PORTHOUSE_OK;
}

static bool ask_to_join(porthouse_t *client, porthouse_room_t *room)
{
    porthouse_Join join = porthouse_Join_init_zero;
    join.address = room->address;
    join.send_only = room->send_only;
    join.replayed = room->replayed;
    join.presence = room->presence;
    switch (room->send_only ? PORTHOUSE_LIVE : room->since) {
    case PORTHOUSE_AFTER:
        join.which_backlog = porthouse_Join_after_tag;
        join.backlog.after.epoch = room->epoch;
        join.backlog.after.sequence = room->sequence;
        break;
    case PORTHOUSE_UNREAD:
        join.which_backlog = porthouse_Join_unread_tag;
        join.backlog.unread = true;
        break;
    case PORTHOUSE_LAST:
        join.which_backlog = porthouse_Join_last_tag;
        join.backlog.last = (uint32_t)room->sequence;
        break;
    default:
        break;
    }
    return ask(client, room, porthouse_Room_join_tag, &porthouse_Join_msg, &join);
}

static bool ask_to_leave(porthouse_t *client, porthouse_room_t *room)
{
    porthouse_Leave leave = porthouse_Leave_init_zero;
    leave.address = room->address;
    return ask(client, room, porthouse_Room_leave_tag, &porthouse_Leave_msg, &leave);
}

void porthouse_rooms_ask(porthouse_t *client)
{
    if (porthouse_proving(client)) return;
    for (size_t i = 0; i < PORTHOUSE_ROOMS; i++) {
        porthouse_room_t *room = &client->rooms[i];
        if (room->to_join && ask_to_join(client, room)) room->to_join = false;
        if (room->to_leave && ask_to_leave(client, room)) room->to_leave = false;
    }
}

/* Where the next Join goes on from. */
static void position(porthouse_room_t *room, uint64_t epoch, uint64_t sequence)
{
    room->epoch = epoch;
    room->sequence = sequence;
    room->since = PORTHOUSE_AFTER;
}

/* The answer to a Join. */
static void enter(porthouse_t *client, porthouse_room_t *room, const porthouse_Joined *joined)
{
    const porthouse_Backlog *backlog = &joined->backlog;
    const bool replays = joined->has_backlog &&
                         (backlog->recovered || backlog->code != porthouse_Code_CODE_NO_HISTORY);
    const bool goes_on = replays && backlog->recovered && room->since == PORTHOUSE_AFTER &&
                         room->epoch == joined->epoch;
    room->id = 0;
    room->catching_up = replays;
    if (!goes_on) {
        position(room, joined->epoch, replays ? backlog->after_sequence : joined->sequence);
    }
    porthouse_established(client);
}

static void read_joined(porthouse_t *client, uint32_t id, const porthouse_Joined *joined)
{
    porthouse_room_t *room = find_asked(client, id);
    if (room) enter(client, room, joined);
    for (size_t i = 0; i < PORTHOUSE_ROOMS; i++) {
        porthouse_room_t *each = &client->rooms[i];
        const bool is_it = each == room || (joined->route != 0 && each->route == joined->route);
        if (!is_it) continue;
        each->route = joined->route;
        each->may_send = joined->may_send;
        each->listening = joined->listening;
        if (each->epoch != joined->epoch) position(each, joined->epoch, joined->sequence);
    }
}

static void read_left(porthouse_t *client, uint32_t id, const porthouse_Left *left)
{
    porthouse_room_t *room = find_asked(client, id);
    if (!room && left->address.length > 0) room = find(client, left->address);
    if (room) forget(room);
}

/* Of rooms by their number; of what has none, by its address. */
static bool is_at(const porthouse_room_t *room, uint32_t route, porthouse_view_t address)
{
    if (!is_used(room)) return false;
    return route != 0 ? room->route == route : porthouse_same(room->address, address);
}

/* The only one there whose past is still coming; NULL: there is none, or there are several. */
static porthouse_room_t *only_catching_up(porthouse_t *client, uint32_t route,
                                          porthouse_view_t address)
{
    porthouse_room_t *found = NULL;
    for (size_t i = 0; i < PORTHOUSE_ROOMS; i++) {
        porthouse_room_t *room = &client->rooms[i];
        if (!room->catching_up || !is_at(room, route, address)) continue;
        if (found) return NULL;
        found = room;
    }
    return found;
}

static void advance(porthouse_room_t *room, uint64_t epoch, uint64_t sequence)
{
    if (epoch != 0 && epoch != room->epoch) return;
    if (sequence > room->sequence) room->sequence = sequence;
}

/*
 * Of several pasts of one room nobody says which one a message is of: none advances then, and
 * after a cut what came may come again. What is live while the past of a room still comes would
 * hide what is missing of that.
 */
void porthouse_room_heard(porthouse_t *client, const porthouse_message_t *message)
{
    if (message->sequence == 0) return;
    if (message->replay == porthouse_Replay_REPLAY_HISTORY) {
        porthouse_room_t *room = only_catching_up(client, message->route, message->target);
        if (room) advance(room, message->epoch, message->sequence);
    } else if (message->replay == porthouse_Replay_REPLAY_UNSPECIFIED) {
        for (size_t i = 0; i < PORTHOUSE_ROOMS; i++) {
            porthouse_room_t *room = &client->rooms[i];
            if (room->catching_up || !is_at(room, message->route, message->target)) continue;
            advance(room, message->epoch, message->sequence);
        }
    }
}

static void read_caught_up(porthouse_t *client, const porthouse_CaughtUp *caught_up)
{
    porthouse_room_t *room = (porthouse_room_t *)porthouse_room(client, caught_up->address);
    if (!room) room = only_catching_up(client, caught_up->route, caught_up->address);
    if (!room || !room->catching_up) return;
    room->catching_up = false;
    advance(room, 0, caught_up->sequence);
}

porthouse_view_t porthouse_room_refused(porthouse_t *client, uint32_t id)
{
    porthouse_view_t address = {NULL, 0};
    porthouse_room_t *room = find_asked(client, id);
    if (!room) return address;
    address = room->address;
    forget(room);
    return address;
}

bool porthouse_room_frame(porthouse_t *client, const porthouse_frame_t *frame,
                          porthouse_event_t *event)
{
    porthouse_field_t action;
    if (!porthouse_action(client, frame->body, porthouse_Room_join_tag, &action)) return false;
    switch (action.number) {
    case porthouse_Room_joined_tag:
        event->kind = PORTHOUSE_JOINED;
        if (!porthouse_decode(client, action.bytes, &porthouse_Joined_msg, &event->as)) break;
        read_joined(client, frame->id, &event->as.joined);
        return true;
    case porthouse_Room_left_tag:
        event->kind = PORTHOUSE_LEFT;
        if (!porthouse_decode(client, action.bytes, &porthouse_Left_msg, &event->as)) break;
        event->code = (porthouse_code_t)event->as.left.code;
        read_left(client, frame->id, &event->as.left);
        return true;
    case porthouse_Room_lost_tag:
        event->kind = PORTHOUSE_LOST;
        if (!porthouse_decode(client, action.bytes, &porthouse_Lost_msg, &event->as)) break;
        event->code = (porthouse_code_t)event->as.lost.code;
        return true;
    case porthouse_Room_caught_up_tag:
        event->kind = PORTHOUSE_CAUGHT_UP;
        if (!porthouse_decode(client, action.bytes, &porthouse_CaughtUp_msg, &event->as)) break;
        read_caught_up(client, &event->as.caught_up);
        return true;
    case porthouse_Room_join_tag:
    case porthouse_Room_leave_tag:
    case porthouse_Room_fetch_tag:
    case porthouse_Room_list_members_tag:
        porthouse_end(client, PORTHOUSE_FRAME_NOT_ALLOWED);
        break;
    case porthouse_Room_fetched_tag:
    case porthouse_Room_cursor_tag:
    case porthouse_Room_members_tag:
    case porthouse_Room_presence_tag:
    case porthouse_Room_changed_tag:
        event->kind = PORTHOUSE_FRAME;
        event->as.frame.kind = frame->kind;
        return true;
    default:
        porthouse_unimplemented(client, frame->id);
        break;
    }
    return false;
}
