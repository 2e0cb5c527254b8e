/* What the client tells, and whom that concerns: an action that waits, or who asks for it later. */
#include <stdio.h>
#include <stdlib.h>

#include "play.h"

/* Fields of Happened. */
enum {
    NAME = 1,
    ADDRESS = 2,
    CODE = 3,
    FROM = 4,
    TO = 5,
    COUNT = 6,
    CHALLENGE = 7,
    VERDICT = 8,
    ROOMS = 9,
    OWN_CODE = 10
};

void happen(play_t *play, const char *name, const bytes_t *fields)
{
    size_t size = (play->happening_count + 1) * sizeof *play->happenings;
    play->happenings = realloc(play->happenings, size);
    if (play->happenings == NULL) abort();
    happening_t *happening = &play->happenings[play->happening_count++];
    memset(happening, 0, sizeof *happening);
    snprintf(happening->name, sizeof happening->name, "%s", name);
    put_view(&happening->outcome, NAME, porthouse_view(name));
    if (fields != NULL) bytes_add(&happening->outcome, fields->data, fields->length);
}

void happen_by(play_t *play, const char *name, porthouse_code_t code)
{
    bytes_t fields = {0};
    if (code != PORTHOUSE_OK) put_code(&fields, CODE, OWN_CODE, code);
    happen(play, name, &fields);
    bytes_free(&fields);
}

/* --- Connecting ----------------------------------------------------------------------------- */

void check_connected(play_t *play, bool is_in)
{
    if (play->is_mqtt && !mqtt_is_ready(&play->mqtt)) return;
    if (play->connected || (play->has_path ? !is_in : play->proofs_left > 0)) return;
    play->connected = true;
    act_t *act = act_of(play, DOES_CONNECT, 0);
    if (act != NULL) act_done(act);
}

void check_back(play_t *play)
{
    bytes_t fields = {0}, room = {0};
    for (size_t i = 0; i < play->place_count; i++)
        if (play->places[i].address[0] != '\0' && !play->places[i].is_back) return;
    for (size_t i = 0; i < play->place_count; i++) {
        const place_t *place = &play->places[i];
        if (place->address[0] == '\0') continue;
        put_view(&room, 1, porthouse_view(place->address));
        put_number(&room, 2, place->recovered);
        put_present(&fields, ROOMS, bytes_view(&room));
        room.length = 0;
    }
    play->coming_back = false;
    happen(play, "reconnected", &fields);
    bytes_free(&fields);
    bytes_free(&room);
}

static void welcomed(play_t *play)
{
    if (!play->connected) return check_connected(play, false);
    for (size_t i = 0; i < play->place_count; i++) play->places[i].is_back = false;
    if (play->coming_back) check_back(play);
}

/* Nobody has an answer: not for the gateway, or not for the room that was to be joined. */
static void give_up(play_t *play)
{
    act_t *act = act_of(play, DOES_JOIN, 0);
    if (!play->connected) return play_over(play, PORTHOUSE_UNAUTHENTICATED);
    if (act == NULL) return;
    porthouse_leave(&play->client, porthouse_view(act->address));
    act_fail(act, PORTHOUSE_UNAUTHENTICATED, 0);
}

static void answer(play_t *play, porthouse_view_t lock, const porthouse_Challenge *asks)
{
    porthouse_Answer says = {.acceptor = asks->acceptor};
    porthouse_view_t values[WORDS_MAX] = {play->who, play->password};
    size_t count = asks->ask.prompts.prompts.count, left = play->words_length - play->words_taken;
    says.which_response = porthouse_Answer_responses_tag;
    if (porthouse_is(asks->acceptor, "password") && play->password.length > 0) {
        says.response.responses.values = (porthouse_list_t){values, 2};
        play->password.length = 0;
    } else if (asks->which_ask == porthouse_Challenge_prompts_tag && count <= left) {
        says.response.responses.values =
            (porthouse_list_t){play->words + play->words_taken, count};
        play->words_taken += count;
    } else {
        return give_up(play);
    }
    porthouse_answer(&play->client, lock, &says);
}

static void ended(play_t *play, const porthouse_event_t *event)
{
    porthouse_code_t code = play->refused != PORTHOUSE_OK ? play->refused : event->code;
    /* For good, by a close code that says no more. */
    if (!event->as.ended.again && porthouse_code_temporary(code)) code = PORTHOUSE_OK;
    play->to_close = true;
    if (!event->as.ended.again || !play->connected || !play->reconnects)
        return play_over(play, code);
    play->coming_back = true;
    if (play->is_mqtt) mqtt_lost(play);
    happen_by(play, "reconnecting", code);
}

/* --- Rooms ---------------------------------------------------------------------------------- */

static void put_gap(play_t *play, const place_t *place, uint64_t after,
                    const porthouse_Joined *joined)
{
    bytes_t fields = {0};
    put_view(&fields, ADDRESS, porthouse_view(place->address));
    put_code(&fields, CODE, OWN_CODE, (porthouse_code_t)joined->backlog.code);
    put_number(&fields, FROM, after + 1);
    put_number(&fields, TO, joined->backlog.after_sequence);
    happen(play, "gap", &fields);
    bytes_free(&fields);
}

/* Which place it is that was asked for; NULL: none. */
static act_t *joining(play_t *play)
{
    for (size_t i = 0; i < play->act_count; i++) {
        act_t *act = &play->acts[i];
        if (act->over || act->kind != DOES_JOIN) continue;
        const porthouse_room_t *room =
            porthouse_room(&play->client, porthouse_view(act->address));
        if (room != NULL && !room->to_join && room->id == 0) return act;
    }
    return NULL;
}

static void come_back(play_t *play, const porthouse_Joined *joined)
{
    for (size_t i = 0; i < play->place_count; i++) {
        place_t *place = &play->places[i];
        if (place->is_back || place->address[0] == '\0') continue;
        const porthouse_room_t *room =
            porthouse_room(&play->client, porthouse_view(place->address));
        bool is_it = room != NULL ? !room->to_join && room->id == 0
                                  : porthouse_is(joined->address, place->address);
        if (!is_it) continue;
        place->is_back = true;
        place->recovered = room != NULL && joined->has_backlog && joined->backlog.recovered;
        if (room != NULL && !place->recovered) put_gap(play, place, place->sequence, joined);
        place_enter(play, place->address, joined);
        break;
    }
    check_back(play);
}

static void joined(play_t *play, const porthouse_event_t *event)
{
    const porthouse_Joined *joined = &event->as.joined;
    char address[600];
    full_address(joined->address, address, sizeof address);
    if (play->coming_back) return come_back(play, joined);
    act_t *act = event->id != 0 ? joining(play) : NULL;
    if (act == NULL) {
        place_t *place = place_of(play, address);
        if (place != NULL || (play->has_path && !play->connected))
            place_enter(play, address, joined);
        return check_connected(play, true);
    }
    bytes_t told = {0};
    const place_t *place = place_enter(play, act->address, joined);
    if (place != NULL && joined->has_backlog && !joined->backlog.recovered)
        put_gap(play, place, act->after_sequence, joined);
    put_view(&told, 1, joined->address);
    put_number(&told, 2, joined->listening ? joined->epoch : 0);
    put_number(&told, 3, joined->listening ? joined->sequence : 0);
    put_number(&told, 4, joined->may_send);
    act_end(act, TOLD_JOINED, bytes_view(&told));
    bytes_free(&told);
}

static void dropped(play_t *play, porthouse_view_t address, porthouse_code_t code)
{
    bytes_t fields = {0};
    char full[600];
    full_address(address, full, sizeof full);
    place_leave(play, full);
    put_view(&fields, ADDRESS, address);
    put_code(&fields, CODE, OWN_CODE, code);
    happen(play, "drop", &fields);
    bytes_free(&fields);
}

static void left(play_t *play, const porthouse_event_t *event)
{
    char address[600];
    act_t *act = act_of(play, DOES_LEAVE, 0);
    if (event->code != PORTHOUSE_OK)
        return dropped(play, event->as.left.address, event->code);
    full_address(event->as.left.address, address, sizeof address);
    place_leave(play, address);
    if (act != NULL) act_done(act);
}

/* Something of a room, by its number or by its address. */
static void of_room(play_t *play, const char *name, uint32_t route, porthouse_view_t address,
                    bytes_t *fields)
{
    for (size_t i = 0; i < play->place_count && address.length == 0; i++)
        if (route != 0 && play->places[i].route == route)
            address = porthouse_view(play->places[i].address);
    put_view(fields, ADDRESS, address);
    happen(play, name, fields);
    bytes_free(fields);
}

static void lost(play_t *play, const porthouse_event_t *event)
{
    const porthouse_Lost *lost = &event->as.lost;
    bytes_t fields = {0};
    put_code(&fields, CODE, OWN_CODE, (porthouse_code_t)lost->code);
    put_number(&fields, FROM, lost->from_sequence);
    put_number(&fields, TO, lost->to_sequence);
    put_number(&fields, COUNT, lost->count);
    of_room(play, "lost", lost->route, porthouse_view(NULL), &fields);
}

/* --- Answers -------------------------------------------------------------------------------- */

static void received(play_t *play, const porthouse_event_t *event)
{
    act_t *act = act_of(play, DOES_SEND, event->id);
    if (act == NULL || act->id != event->id) {
        if (event->code != PORTHOUSE_OK) happen_by(play, "rejected", event->code);
    } else if (event->code == PORTHOUSE_OK) {
        act_end(act, TOLD_RECEIPT, event->body);
    } else {
        act_fail(act, event->code, 0);
    }
}

static void refused(play_t *play, const porthouse_event_t *event)
{
    bool is_asked = false;
    for (size_t i = 0; i < play->act_count; i++) {
        act_t *act = &play->acts[i];
        bool is_it = act->kind == DOES_JOIN
                         ? porthouse_is(event->as.drop.address, act->address)
                         : act->id != 0 && act->id == event->id;
        if (act->over || !is_it) continue;
        act_fail(act, event->code, event->as.drop.retry_after_ms);
        is_asked = true;
    }
    if (is_asked || event->as.drop.address.length == 0) return;
    /* A room that it was in before the connection was lost. */
    dropped(play, event->as.drop.address, event->code);
    if (play->coming_back) check_back(play);
}

/* The members of a page; the next page follows where there are more. */
static void listed(act_t *act, porthouse_view_t body)
{
    porthouse_field_t field, inner;
    while (porthouse_field(&body, &field)) {
        if (field.number == porthouse_Members_more_tag) act->due = field.value != 0;
        if (field.number != porthouse_Members_members_tag) continue;
        while (porthouse_field(&field.bytes, &inner)) {
            if (inner.number != porthouse_Member_address_tag) continue;
            put_present(&act->page, 1, inner.bytes);
            snprintf(act->after, sizeof act->after, "%.*s", (int)inner.bytes.length,
                     (const char *)inner.bytes.data);
        }
    }
    if (!act->due) act_end(act, TOLD_MEMBERS, bytes_view(&act->page));
}

static void pushed(play_t *play, const porthouse_field_t *action)
{
    porthouse_view_t body = action->bytes, address = {NULL, 0};
    porthouse_field_t field, inner;
    bytes_t fields = {0};
    uint32_t route = 0;
    bool is_presence = action->number == porthouse_Room_presence_tag;
    while (porthouse_field(&body, &field)) {
        if (is_presence && field.number == porthouse_Presence_route_tag)
            route = (uint32_t)field.value;
        if (is_presence && field.number == porthouse_Presence_count_tag)
            put_number(&fields, COUNT, field.value);
        if (!is_presence && field.number == 1) address = field.bytes;
        if (action->number != porthouse_Room_cursor_tag || field.number != 2) continue;
        while (porthouse_field(&field.bytes, &inner))
            if (inner.number == porthouse_Position_sequence_tag)
                put_number(&fields, TO, inner.value);
    }
    const char *name = is_presence                                   ? "presence"
                       : action->number == porthouse_Room_cursor_tag ? "cursor"
                                                                     : "changed";
    of_room(play, name, route, address, &fields);
}

static void framed(play_t *play, const porthouse_event_t *event)
{
    porthouse_view_t body = event->body;
    porthouse_field_t action;
    if (event->as.frame.kind != porthouse_Frame_room_tag || !porthouse_field(&body, &action))
        return;
    act_t *fetch = act_of(play, DOES_FETCH, event->id), *read = act_of(play, DOES_READ, event->id);
    act_t *members = act_of(play, DOES_MEMBERS, event->id);
    if (event->id == 0) pushed(play, &action);
    else if (fetch != NULL) act_end(fetch, TOLD_HEARD, bytes_view(&fetch->page));
    else if (read != NULL) act_done(read);
    else if (members != NULL) listed(members, action.bytes);
}

static void message(play_t *play, const porthouse_event_t *event)
{
    act_t *fetch = event->id != 0 ? act_of(play, DOES_FETCH, event->id) : NULL;
    bytes_t envelope = {0};
    if (fetch == NULL) return place_hear(play, event);
    put_message(&envelope, event, place_of(play, fetch->address));
    put_present(&fetch->page, 1, bytes_view(&envelope));
    bytes_free(&envelope);
}

static void lock_step(play_t *play, const porthouse_event_t *event)
{
    bool asks = event->kind == PORTHOUSE_CHALLENGE;
    porthouse_view_t body = event->body;
    porthouse_field_t field;
    bytes_t fields = {0};
    while (porthouse_field(&body, &field))
        if (field.number != porthouse_LockStep_lock_tag)
            put_present(&fields, asks ? CHALLENGE : VERDICT, field.bytes);
    happen(play, asks ? "challenge" : "verdict", &fields);
    bytes_free(&fields);
    if (asks && !event->as.challenge.answered)
        answer(play, event->as.challenge.lock, &event->as.challenge.asks);
    bool is_wrong = !asks && event->as.verdict.says.outcome != porthouse_Outcome_OUTCOME_PASSED;
    /* In the main lobby, or before it is let in anywhere, it has no more to say. */
    bool is_first = !play->connected || event->as.verdict.lock.length == 0;
    if (is_wrong && is_first && play->words_taken == play->words_length)
        return play_over(play, event->code);
    if (asks || event->as.verdict.says.outcome != porthouse_Outcome_OUTCOME_PASSED) return;
    if (play->proofs_left > 0) play->proofs_left--;
    if (play->is_mqtt) mqtt_unlocked(&play->mqtt);
    check_connected(play, false);
}

void play_event(play_t *play, const porthouse_event_t *event)
{
    bytes_t fields = {0};
    switch (event->kind) {
    case PORTHOUSE_CONNECT:
        if (play->is_mqtt) mqtt_open(play);
        else websocket_open(&play->websocket, &play->url);
        break;
    case PORTHOUSE_WELCOME: welcomed(play); break;
    case PORTHOUSE_CHALLENGE:
    case PORTHOUSE_VERDICT: lock_step(play, event); break;
    case PORTHOUSE_JOINED: joined(play, event); break;
    case PORTHOUSE_LEFT: left(play, event); break;
    case PORTHOUSE_LOST: lost(play, event); break;
    case PORTHOUSE_CAUGHT_UP:
        put_number(&fields, TO, event->as.caught_up.sequence);
        of_room(play, "caught_up", event->as.caught_up.route, event->as.caught_up.address,
                &fields);
        break;
    case PORTHOUSE_MESSAGE: message(play, event); break;
    case PORTHOUSE_RECEIPT: received(play, event); break;
    case PORTHOUSE_REFUSED: refused(play, event); break;
    case PORTHOUSE_DROP:
        play->retry_after_ms = event->as.drop.retry_after_ms;
        happen_by(play, "drop", event->code);
        break;
    case PORTHOUSE_FRAME: framed(play, event); break;
    case PORTHOUSE_ENDED: ended(play, event); break;
    default: break;
    }
}
