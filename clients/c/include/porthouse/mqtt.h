/*
 * MQTT beside the core: which topic carries what, for the application's own MQTT client. Messages
 * of rooms it publishes and hears itself, as any other [PH-17.2]; locks, receipts, positions and
 * commands go through the core, on the topics of the gateway [PH-17.11]:
 *
 *     after CONNACK: subscribe to PORTHOUSE_MQTT_LOCK and others, then porthouse_opened(&client)
 *     while (porthouse_output(&client, &packet)) {
 *         while (porthouse_mqtt_next(&packet, &publish)) publish it, QoS 1;
 *         porthouse_sent(&client);
 *     }
 *     heard a topic: porthouse_mqtt_is_reserved(topic)
 *                        ? porthouse_received(&client, now, payload, length, true)
 *                        : a room's message
 */
#ifndef PORTHOUSE_MQTT_H
#define PORTHOUSE_MQTT_H

#include <stdbool.h>
#include <stddef.h>

#include "porthouse/view.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What the core hears: subscribe to those that you need, with QoS 1. Without a user name there is
 * but the first, until the locks of a room are open [PH-17.14].
 */
#define PORTHOUSE_MQTT_LOCK "$porthouse/v1/lock"
/* Before MQTT 5 it is also what keeps a refused PUBLISH from ending the connection [PH-17.9]. */
#define PORTHOUSE_MQTT_RECEIPT "$porthouse/v1/receipt"
#define PORTHOUSE_MQTT_ROOM "$porthouse/v1/room"
#define PORTHOUSE_MQTT_EVENT "$porthouse/v1/event"
#define PORTHOUSE_MQTT_COMMAND "$porthouse/v1/command"
/* Messages to this client, token or socket. */
#define PORTHOUSE_MQTT_MESSAGE "$porthouse/v1/message"

typedef struct {
    const char *topic;
    porthouse_view_t payload;
} porthouse_mqtt_publish_t;

/* Takes the next PUBLISH off a packet of porthouse_output(). False: there is none left. */
bool porthouse_mqtt_next(porthouse_view_t *packet, porthouse_mqtt_publish_t *publish);

/* Whether a topic that was heard is one of those of the core. */
bool porthouse_mqtt_is_reserved(porthouse_view_t topic);

/*
 * The topic of a room or channel, which points into its address: acme/field/temp of
 * room:acme/field/temp. Empty: no address of a room.
 */
porthouse_view_t porthouse_mqtt_topic(porthouse_view_t address);

/*
 * The topic filter that hears what a Join of this address hears [PH-17.3]: acme/field/# of
 * room:acme/field, acme/field/temp/+ of room:acme/field/temp/ *. Ends with a zero. Gives its
 * length; 0: no address of a room, or no room in `size` bytes for it.
 */
size_t porthouse_mqtt_filter(porthouse_view_t address, char *filter, size_t size);

/* Takes the channel off a topic that was heard: what is left is account and room. */
porthouse_view_t porthouse_mqtt_channel(porthouse_view_t *topic);

#ifdef __cplusplus
}
#endif

#endif
