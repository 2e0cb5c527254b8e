/* Rooms that the client is in, and what it has heard there. */
#include <stdio.h>
#include <stdlib.h>

#include "play.h"

void full_address(porthouse_view_t given, char *address, size_t size)
{
    const uint8_t *colon = given.length > 0 ? memchr(given.data, ':', given.length) : NULL;
    const uint8_t *slash = given.length > 0 ? memchr(given.data, '/', given.length) : NULL;
    bool has_kind = colon != NULL && (slash == NULL || colon < slash);
    snprintf(address, size, "%s%.*s", has_kind ? "" : "room:", (int)given.length,
             given.data != NULL ? (const char *)given.data : "");
}

place_t *place_of(play_t *play, const char *address)
{
    for (size_t i = 0; i < play->place_count; i++)
        if (strcmp(play->places[i].address, address) == 0) return &play->places[i];
    return NULL;
}

place_t *place_enter(play_t *play, const char *address, const porthouse_Joined *joined)
{
    place_t *place = place_of(play, address);
    if (place == NULL && play->place_count == PLACES_MAX) return NULL;
    if (place == NULL) {
        place = &play->places[play->place_count++];
        memset(place, 0, sizeof *place);
        snprintf(place->address, sizeof place->address, "%s", address);
    }
    if (place->epoch != joined->epoch || place->route == 0) place->sequence = joined->sequence;
    place->route = joined->route;
    place->epoch = joined->epoch;
    return place;
}

/* Its place in the table stays, since messages say by bits who has heard them. */
void place_leave(play_t *play, const char *address)
{
    place_t *place = place_of(play, address);
    if (place == NULL) return;
    place->address[0] = '\0';
    place->route = 0;
}

/* Whether the channel of an address, which may be a filter [PH-7.1], hears that one. */
static bool matches(const char *filter, porthouse_view_t channel)
{
    const char *at = (const char *)channel.data, *end = at + channel.length;
    if (strcmp(filter, "**") == 0) return at < end;
    size_t length = strcspn(filter, "/"), level = 0;
    while (at + level < end && at[level] != '/') level++;
    bool fits = (length == 1 && *filter == '*') ||
                (length == level && memcmp(filter, at, length) == 0);
    if (at == end || !fits) return false;
    if (filter[length] == '\0' || at + level == end)
        return filter[length] == '\0' && at + level == end;
    channel.data += level + 1;
    channel.length -= level + 1;
    return matches(filter + length + 1, channel);
}

static bool hears(const place_t *place, const porthouse_message_t *message)
{
    if (place->address[0] == '\0') return false;
    if (message->route == 0) return porthouse_is(message->target, place->address);
    const char *slash = strchr(place->address, '/');
    const char *channel = slash != NULL ? strchr(slash + 1, '/') : NULL;
    return place->route == message->route &&
           (channel == NULL || matches(channel + 1, message->channel));
}

void put_message(bytes_t *bytes, const porthouse_event_t *event, const place_t *place)
{
    const porthouse_message_t *message = &event->as.message;
    porthouse_view_t rest = event->body;
    porthouse_field_t field;
    bytes_t stamp = {0};
    put_view(&stamp, porthouse_Stamp_id_tag, message->id);
    put_view(&stamp, porthouse_Stamp_from_tag, message->from);
    put_view(&stamp, porthouse_Stamp_channel_tag, message->channel);
    if (message->target.length > 0 || place == NULL)
        put_view(&stamp, porthouse_Stamp_target_tag, message->target);
    else put_view(&stamp, porthouse_Stamp_target_tag, porthouse_view(place->address));
    put_number(&stamp, porthouse_Stamp_sequence_tag, message->sequence);
    put_number(&stamp, porthouse_Stamp_time_ms_tag, message->time_ms);
    put_number(&stamp, porthouse_Stamp_epoch_tag,
               message->epoch == 0 && place != NULL ? place->epoch : message->epoch);
    put_number(&stamp, porthouse_Stamp_replay_tag, message->replay);
    put_view(bytes, porthouse_Envelope_stamp_tag, bytes_view(&stamp));
    put_present(bytes,
                message->is_text ? porthouse_Envelope_text_tag : porthouse_Envelope_payload_tag,
                message->content);
    put_view(bytes, porthouse_Envelope_content_type_tag, message->content_type);
    put_view(bytes, porthouse_Envelope_reply_to_tag, message->reply_to);
    put_view(bytes, porthouse_Envelope_correlation_id_tag, message->correlation_id);
    put_number(bytes, porthouse_Envelope_expires_after_tag, message->expires_after);
    /* What the struct leaves out. */
    while (porthouse_field(&rest, &field)) {
        if (field.number == porthouse_Envelope_headers_tag) put_view(bytes, 5, field.bytes);
        if (field.number == porthouse_Envelope_quality_tag) put_number(bytes, 10, field.value);
    }
    bytes_free(&stamp);
}

void place_hear(play_t *play, const porthouse_event_t *event)
{
    message_t message = {{0}, 0};
    const place_t *first = NULL;
    for (size_t i = 0; i < play->place_count; i++) {
        if (!hears(&play->places[i], &event->as.message)) continue;
        message.places |= 1u << i;
        play->places[i].heard++;
        if (event->as.message.sequence > play->places[i].sequence)
            play->places[i].sequence = event->as.message.sequence;
        if (first == NULL) first = &play->places[i];
    }
    put_message(&message.envelope, event, first);
    play->messages = realloc(play->messages, (play->message_count + 1) * sizeof message);
    if (play->messages == NULL) abort();
    play->messages[play->message_count++] = message;
}
