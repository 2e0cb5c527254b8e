/* Topics of rooms and channels, and topic filters [PH-17.2, PH-17.3]. */
#include "porthouse/mqtt.h"

#define ROOM "room:"

static porthouse_view_t without(porthouse_view_t view, size_t length)
{
    view.data += length;
    view.length -= length;
    return view;
}

porthouse_view_t porthouse_mqtt_topic(porthouse_view_t address)
{
    const size_t length = sizeof ROOM - 1;
    bool is_room = address.length > length && memcmp(address.data, ROOM, length) == 0;
    return without(address, is_room ? length : address.length);
}

/* Where the second slash is, which is before the channel; the length where there is none. */
static size_t room_length(porthouse_view_t topic)
{
    size_t slashes = 0, at = 0;
    while (at < topic.length && (topic.data[at] != '/' || ++slashes < 2)) at++;
    return at;
}

porthouse_view_t porthouse_mqtt_channel(porthouse_view_t *topic)
{
    size_t length = room_length(*topic);
    porthouse_view_t channel = without(*topic, length);
    topic->length = length;
    return channel.length > 0 ? without(channel, 1) : channel;
}

static bool ends_with(porthouse_view_t view, const char *end)
{
    size_t length = strlen(end);
    return view.length >= length && memcmp(view.data + view.length - length, end, length) == 0;
}

size_t porthouse_mqtt_filter(porthouse_view_t address, char *filter, size_t size)
{
    porthouse_view_t topic = porthouse_mqtt_topic(address);
    const char *end = "";
    if (topic.length == 0) return 0;
    if (room_length(topic) == topic.length) {
        end = "/#";
    } else if (ends_with(topic, "/**")) {
        /* One level or more below, where MQTT's own # is none or more. */
        topic.length -= 3;
        end = "/+/#";
    }
    size_t length = topic.length + strlen(end);
    if (length >= size) return 0;
    /* A star is a level of its own: channels have none [PH-11.4]. */
    for (size_t i = 0; i < topic.length; i++)
        filter[i] = topic.data[i] == '*' ? '+' : (char)topic.data[i];
    memcpy(filter + topic.length, end, strlen(end) + 1);
    return length;
}
