/* Which reserved topic a frame goes to, and which topics are reserved [PH-17.11]. */
#include "porthouse/frame.h"
#include "porthouse/mqtt.h"
#include "porthouse/v1/frame.pb.h"

#define RESERVED "$porthouse/v1/"

/* NULL: MQTT has its own word for what it says. */
static const char *topic_of(uint32_t kind)
{
    switch (kind) {
    case porthouse_Frame_lock_step_tag: return PORTHOUSE_MQTT_LOCK;
    case porthouse_Frame_envelope_tag: return PORTHOUSE_MQTT_MESSAGE;
    case porthouse_Frame_room_tag: return PORTHOUSE_MQTT_ROOM;
    case porthouse_Frame_hello_tag:
    case porthouse_Frame_command_tag: return PORTHOUSE_MQTT_COMMAND;
    default: return NULL;
    }
}

bool porthouse_mqtt_next(porthouse_view_t *packet, porthouse_mqtt_publish_t *publish)
{
    porthouse_frame_t frame;
    while (porthouse_frame(packet, &frame)) {
        publish->topic = topic_of(frame.kind);
        publish->payload = frame.packet;
        if (publish->topic != NULL) return true;
    }
    return false;
}

bool porthouse_mqtt_is_reserved(porthouse_view_t topic)
{
    const size_t length = sizeof RESERVED - 1;
    return topic.length > length && memcmp(topic.data, RESERVED, length) == 0;
}
