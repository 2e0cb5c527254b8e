/* Actions: how each begins, and how it ends. */
#include <stdio.h>

#include "play.h"

/* --- Ends ----------------------------------------------------------------------------------- */

void act_end(act_t *act, uint32_t result, porthouse_view_t message)
{
    if (act->over) return;
    act->over = true;
    put_present(&act->outcome, result, message);
}

void act_done(act_t *act)
{
    act_end(act, TOLD_DONE, porthouse_view(NULL));
}

void put_code(bytes_t *bytes, uint32_t field, uint32_t own_field, porthouse_code_t code)
{
    const char *name = porthouse_code_name(code);
    if (code == PORTHOUSE_OK) put_view(bytes, own_field, porthouse_view("CLOSED"));
    else if (strcmp(name, "UNKNOWN") == 0) put_view(bytes, own_field, porthouse_view(name));
    else put_number(bytes, field, code);
}

void act_fail(act_t *act, porthouse_code_t code, uint32_t retry_after_ms)
{
    bytes_t failure = {0};
    put_code(&failure, 1, 2, code);
    put_number(&failure, 3, porthouse_code_temporary(code));
    put_number(&failure, 4, retry_after_ms);
    act_end(act, TOLD_FAILURE, bytes_view(&failure));
    bytes_free(&failure);
}

act_t *act_of(play_t *play, uint32_t kind, uint32_t id)
{
    for (size_t i = 0; i < play->act_count; i++) {
        act_t *act = &play->acts[i];
        if (!act->over && act->kind == kind && (id == 0 || act->id == id)) return act;
    }
    return NULL;
}

/* --- Beginnings ----------------------------------------------------------------------------- */

/* The bytes of a field, of an action; empty where it is absent. */
static porthouse_view_t text_of(porthouse_view_t asks, uint32_t number)
{
    porthouse_view_t found = {NULL, 0};
    porthouse_field_t field;
    while (porthouse_field(&asks, &field))
        if (field.number == number) found = field.bytes;
    return found;
}

static uint64_t number_of(porthouse_view_t asks, uint32_t number)
{
    uint64_t found = 0;
    porthouse_field_t field;
    while (porthouse_field(&asks, &field))
        if (field.number == number) found = field.value;
    return found;
}

static bool has(porthouse_view_t asks, uint32_t number)
{
    porthouse_field_t field;
    while (porthouse_field(&asks, &field))
        if (field.number == number) return true;
    return false;
}

static void begin_connect(play_t *play, act_t *act)
{
    porthouse_view_t path = text_of(act->asks, 1), rest = act->asks;
    porthouse_field_t field;
    size_t length = strlen(play->url_text);
    snprintf(play->url_text + length, sizeof play->url_text - length, "%.*s", (int)path.length,
             path.data != NULL ? (const char *)path.data : "");
    if (!play->is_mqtt && !porthouse_websocket_split(play->url_text, &play->url))
        return act_fail(act, PORTHOUSE_ADDRESS_INVALID, 0);
    while (porthouse_field(&rest, &field))
        if (field.number == 6 && play->words_length < WORDS_MAX)
            play->words[play->words_length++] = field.bytes;
    play->who = text_of(act->asks, 3);
    play->password = text_of(act->asks, 4);
    play->reconnects = number_of(act->asks, 8) != 0;
    play->has_path = path.length > 0;
    play->options.token = text_of(act->asks, 2);
    play->options.preset = text_of(act->asks, 5);
    play->options.timeout_ms = (uint32_t)number_of(act->asks, 9);
    play->options.url_names_place = play->has_path;
    play->options.answers_by_hand = true;
    play->proofs_left = (play->options.token.length > 0) + (play->password.length > 0);
    /* CONNECT has them, and then no lock is met. */
    if (play->is_mqtt && play->who.length > 0) play->proofs_left = 0;
    porthouse_init(&play->client, &play->options);
    play->begun = true;
}

static void begin_join(play_t *play, act_t *act)
{
    porthouse_join_t join = {0};
    full_address(text_of(act->asks, 1), act->address, sizeof act->address);
    if (play->is_mqtt) return mqtt_join(play, act);
    if (play->address_count == PLACES_MAX) return act_fail(act, PORTHOUSE_ROOM_LIMIT, 0);
    join.address = porthouse_view(
        strcpy(play->addresses[play->address_count++], act->address));
    join.send_only = number_of(act->asks, 2) != 0;
    join.presence = number_of(act->asks, 8) != 0;
    join.epoch = number_of(act->asks, 7);
    if (has(act->asks, 3) || has(act->asks, 6)) {
        join.since = PORTHOUSE_AFTER;
        join.sequence = act->after_sequence = number_of(act->asks, 3);
    } else if (has(act->asks, 4)) {
        join.since = PORTHOUSE_LAST;
        join.sequence = number_of(act->asks, 4);
    } else if (has(act->asks, 5)) {
        join.since = PORTHOUSE_UNREAD;
    }
    porthouse_code_t code = porthouse_join(&play->client, &join);
    if (code != PORTHOUSE_OK) act_fail(act, code, 0);
}

static size_t read_headers(porthouse_view_t asks, porthouse_Envelope_HeadersEntry *headers)
{
    size_t count = 0;
    porthouse_field_t field;
    while (porthouse_field(&asks, &field)) {
        if (field.number != 7 || count == HEADERS_MAX) continue;
        memset(&headers[count], 0, sizeof headers[count]);
        headers[count].key = text_of(field.bytes, 1);
        headers[count++].value = text_of(field.bytes, 2);
    }
    return count;
}

static bool has_channel(const char *address)
{
    const char *slash = strchr(address, '/');
    return slash != NULL && strchr(slash + 1, '/') != NULL;
}

/* Over MQTT, where there are but topic and content [PH-17.4]. */
static void publish(play_t *play, act_t *act)
{
    porthouse_view_t asks = act->asks;
    bool asks_receipt = number_of(asks, 5) != PORTHOUSE_NONE;
    act->name = text_of(asks, 2);
    act->due = play->coming_back;
    if (!act->due) mqtt_say(play, act, text_of(asks, has(asks, 3) ? 3 : 4), asks_receipt);
}

static void say(play_t *play, act_t *act)
{
    porthouse_Envelope_HeadersEntry headers[HEADERS_MAX];
    porthouse_view_t to = text_of(act->asks, 1), asks = act->asks;
    if (to.length > 0) full_address(to, act->address, sizeof act->address);
    if (play->is_mqtt) return publish(play, act);
    const porthouse_room_t *room = porthouse_room(&play->client, porthouse_view(act->address));
    const place_t *place = place_of(play, act->address);
    /* The room of the URL has its number in Joined alone; a channel is sent to by its name. */
    uint32_t route = room != NULL ? room->route : place != NULL ? place->route : 0;
    if (has_channel(act->address)) route = 0;
    porthouse_send_t message = {
        .content = text_of(asks, has(asks, 3) ? 3 : 4),
        .is_text = has(asks, 3),
        .receipt = (porthouse_level_t)number_of(asks, 5),
        .content_type = text_of(asks, 6),
        .headers = headers,
        .header_count = read_headers(asks, headers),
        .reply_to = text_of(asks, 8),
        .correlation_id = text_of(asks, 9),
        .idempotency_key = text_of(asks, 10),
        .expires_after = (uint32_t)number_of(asks, 11),
    };
    porthouse_view_t channel = text_of(asks, 2);
    if (route != 0) {
        message.route = route;
        message.channel = channel;
    } else {
        size_t length = strlen(act->address);
        if (channel.length > 0)
            snprintf(act->address + length, sizeof act->address - length, "/%.*s",
                     (int)channel.length, (const char *)channel.data);
        message.to = porthouse_view(act->address);
    }
    porthouse_code_t code = porthouse_send(&play->client, &message, &act->id);
    /* It may be tried again: once something was written, or the connection is back. */
    act->due = code == PORTHOUSE_QUEUE_FULL ||
               (code == PORTHOUSE_UNAVAILABLE && play->coming_back);
    if (act->due) return;
    if (code == PORTHOUSE_OK) play_flush(play);
    if (code != PORTHOUSE_OK) act_fail(act, code, 0);
    else if (message.receipt == PORTHOUSE_NONE) act_done(act);
}

/* A page of the history, a cursor, a page of members. */
static void ask(play_t *play, act_t *act, porthouse_view_t after)
{
    porthouse_Room body = porthouse_Room_init_zero;
    full_address(text_of(act->asks, 1), act->address, sizeof act->address);
    if (place_of(play, act->address) == NULL) return act_fail(act, PORTHOUSE_OK, 0);
    porthouse_view_t address = porthouse_view(act->address);
    if (act->kind == DOES_FETCH) {
        body.which_action = porthouse_Room_fetch_tag;
        body.action.fetch.address = address;
        body.action.fetch.which_range = porthouse_Fetch_after_tag;
        body.action.fetch.range.after.sequence = number_of(act->asks, 2);
        body.action.fetch.limit = (uint32_t)number_of(act->asks, 3);
    } else if (act->kind == DOES_READ) {
        body.which_action = porthouse_Room_cursor_tag;
        body.action.cursor.address = address;
        body.action.cursor.has_position = true;
        body.action.cursor.position.epoch = place_of(play, act->address)->epoch;
        body.action.cursor.position.sequence = number_of(act->asks, 2);
    } else {
        body.which_action = porthouse_Room_list_members_tag;
        body.action.list_members.of = address;
        body.action.list_members.after = after;
    }
    porthouse_code_t code = porthouse_request(&play->client, porthouse_Frame_room_tag,
                                              &porthouse_Room_msg, &body, &act->id);
    if (code != PORTHOUSE_OK) act_fail(act, code, 0);
}

void act_begin(play_t *play, act_t *act)
{
    if (act->kind == DOES_CONNECT) return begin_connect(play, act);
    if (!play->connected) return act_fail(act, PORTHOUSE_OK, 0);
    act->name = text_of(act->asks, 1);
    act->count = (uint32_t)number_of(act->asks, 2);
    if (act->kind == DOES_HEAR && act->name.length > 0) {
        full_address(act->name, act->address, sizeof act->address);
        if (place_of(play, act->address) == NULL) return act_fail(act, PORTHOUSE_OK, 0);
    }
    if (act->kind == DOES_EVENT || act->kind == DOES_HEAR) return;
    if (play->over && act->kind != DOES_CLOSE)
        return act_fail(act, play->ended_by, play->retry_after_ms);
    switch (act->kind) {
    case DOES_JOIN: begin_join(play, act); break;
    case DOES_SEND: say(play, act); break;
    case DOES_FETCH:
    case DOES_READ:
    case DOES_MEMBERS: ask(play, act, porthouse_view(NULL)); break;
    case DOES_LEAVE:
        full_address(act->name, act->address, sizeof act->address);
        if (play->is_mqtt) return mqtt_leave(play, act);
        if (porthouse_leave(&play->client, porthouse_view(act->address)) != PORTHOUSE_OK)
            act_fail(act, PORTHOUSE_OK, 0);
        break;
    case DOES_CLOSE:
        porthouse_close(&play->client);
        if (play->over) act_done(act);
        break;
    default: act_fail(act, PORTHOUSE_UNIMPLEMENTED, 0);
    }
}

/* --- What waits ----------------------------------------------------------------------------- */

static void tell_heard(play_t *play, act_t *act)
{
    place_t *place = act->name.length > 0 ? place_of(play, act->address) : NULL;
    uint32_t count = place != NULL ? place->heard : (uint32_t)play->message_count;
    uint32_t *told = place != NULL ? &place->told : &play->told, at = 0;
    bytes_t heard = {0};
    if (count < act->count) return;
    for (size_t i = 0; i < play->message_count && at < act->count; i++) {
        const message_t *message = &play->messages[i];
        bool is_here = place == NULL || (message->places & 1u << (place - play->places));
        if (is_here && at++ >= *told) put_present(&heard, 1, bytes_view(&message->envelope));
    }
    if (act->count > *told) *told = act->count;
    act_end(act, TOLD_HEARD, bytes_view(&heard));
    bytes_free(&heard);
}

static void tell_happened(play_t *play, act_t *act)
{
    for (size_t i = 0; i < play->happening_count; i++) {
        happening_t *happening = &play->happenings[i];
        if (happening->told || !porthouse_is(act->name, happening->name)) continue;
        happening->told = true;
        return act_end(act, TOLD_HAPPENED, bytes_view(&happening->outcome));
    }
}

void act_work(play_t *play, act_t *act)
{
    if (act->over) return;
    if (act->kind == DOES_SEND && act->due) say(play, act);
    else if (act->kind == DOES_HEAR) tell_heard(play, act);
    else if (act->kind == DOES_EVENT) tell_happened(play, act);
    else if (act->kind == DOES_MEMBERS && act->due) {
        act->due = false;
        ask(play, act, porthouse_view(act->after));
    }
}
