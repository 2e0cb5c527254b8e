/* Which topic carries what, and what topics and filters are of addresses. */
#include "porthouse/mqtt.h"

#include <stdio.h>
#include <stdlib.h>

static int failures;

static void expect(bool right, const char *what)
{
    if (right) return;
    fprintf(stderr, "%s\n", what);
    failures++;
}

static void topic_is(const char *address, const char *wanted)
{
    expect(porthouse_is(porthouse_mqtt_topic(porthouse_view(address)), wanted), address);
}

/* Into memory of each size, so that a byte too far is seen. */
static void filter_is(const char *address, const char *wanted)
{
    size_t length = strlen(wanted);
    for (size_t size = 0; size < length + 2; size++) {
        char *filter = malloc(size + 1);
        size_t written = porthouse_mqtt_filter(porthouse_view(address), filter, size);
        bool fits = length > 0 && size > length;
        expect(written == (fits ? length : 0), address);
        expect(!fits || strcmp(filter, wanted) == 0, filter);
        free(filter);
    }
}

static void channel_is(const char *topic, const char *room, const char *channel)
{
    porthouse_view_t left = porthouse_view(topic);
    expect(porthouse_is(porthouse_mqtt_channel(&left), channel), topic);
    expect(porthouse_is(left, room), topic);
}

/* A packet: a Hello, a lock step with id 1, a Drop that MQTT has no topic for, a Room. */
static void frames_go_to_their_topics(void)
{
    static const uint8_t BYTES[] = {0x0a, 2, 0x12, 0, 0x0a, 4, 8,    1, 0x22,
                                    0,    0x0a, 2, 0x42, 0, 0x0a, 2, 0x3a, 0};
    static const char *const TOPICS[] = {PORTHOUSE_MQTT_COMMAND, PORTHOUSE_MQTT_LOCK,
                                         PORTHOUSE_MQTT_ROOM};
    static const size_t LENGTHS[] = {4, 6, 4};
    porthouse_view_t packet = {BYTES, sizeof BYTES};
    porthouse_mqtt_publish_t publish;
    for (size_t i = 0; i < 3; i++) {
        expect(porthouse_mqtt_next(&packet, &publish), TOPICS[i]);
        expect(strcmp(publish.topic, TOPICS[i]) == 0, publish.topic);
        expect(publish.payload.length == LENGTHS[i] && publish.payload.data[0] == 0x0a, TOPICS[i]);
    }
    expect(!porthouse_mqtt_next(&packet, &publish), "no more");
}

int main(void)
{
    topic_is("room:acme/field", "acme/field");
    topic_is("room:acme/field/temp/1", "acme/field/temp/1");
    topic_is("room:", "");
    topic_is("client:acme/pump", "");
    topic_is("", "");
    filter_is("room:acme/field", "acme/field/#");
    filter_is("room:acme/field/temp/1", "acme/field/temp/1");
    filter_is("room:acme/field/*", "acme/field/+");
    filter_is("room:acme/field/temp/*/raw", "acme/field/temp/+/raw");
    filter_is("room:acme/field/**", "acme/field/+/#");
    filter_is("room:acme/field/temp/**", "acme/field/temp/+/#");
    filter_is("group:acme/field/crew", "");
    channel_is("acme/field", "acme/field", "");
    channel_is("acme/field/temp/1", "acme/field", "temp/1");
    channel_is("acme", "acme", "");
    expect(porthouse_mqtt_is_reserved(porthouse_view(PORTHOUSE_MQTT_LOCK)), "reserved");
    expect(!porthouse_mqtt_is_reserved(porthouse_view("$porthouse/v1/")), "not reserved");
    expect(!porthouse_mqtt_is_reserved(porthouse_view("acme/field")), "not reserved");
    frames_go_to_their_topics();
    return failures > 0;
}
