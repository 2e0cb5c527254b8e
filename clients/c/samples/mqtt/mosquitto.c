/* MQTT 5 by libmosquitto, whose callbacks come from mosquitto_loop(). */
#define _POSIX_C_SOURCE 200809L
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mqtt.h"

/* Of the SUBSCRIBE that waits for its SUBACK; there is one at a time. */
static char subscribing[600];
static bool away;

static void on_connect(struct mosquitto *library, void *of, int reason, int flags,
                       const mosquitto_property *properties)
{
    (void)library, (void)flags, (void)properties;
    if (reason == 0) mqtt_connected(of);
    else mqtt_lost(of, reason);
}

static void on_disconnect(struct mosquitto *library, void *of, int reason,
                          const mosquitto_property *properties)
{
    (void)library, (void)of, (void)reason, (void)properties;
    away = true;
}

static void on_subscribe(struct mosquitto *library, void *of, int id, int count,
                         const int *granted, const mosquitto_property *properties)
{
    (void)library, (void)id, (void)properties;
    if (count == 1 && granted[0] < 0x80) mqtt_subscribed(of, subscribing);
    else mqtt_lost(of, granted[0]);
}

static void on_message(struct mosquitto *library, void *of, const struct mosquitto_message *heard,
                       const mosquitto_property *properties)
{
    porthouse_view_t payload = {heard->payload, (size_t)heard->payloadlen};
    char *name = NULL, *value = NULL;
    (void)library;
    const mosquitto_property *at = mosquitto_property_read_string_pair(
        properties, MQTT_PROP_USER_PROPERTY, &name, &value, false);
    while (at != NULL && strcmp(name, "porthouse-from") != 0) {
        free(name), free(value);
        name = value = NULL;
        at = mosquitto_property_read_string_pair(at, MQTT_PROP_USER_PROPERTY, &name, &value, true);
    }
    mqtt_heard(of, porthouse_view(heard->topic), payload, porthouse_view(value));
    free(name), free(value);
}

void link_connect(mqtt_t *mqtt)
{
    mosquitto_property *properties = NULL;
    mosquitto_lib_init();
    away = false;
    mqtt->library = mosquitto_new(NULL, true, mqtt);
    if (mqtt->library == NULL) return mqtt_lost(mqtt, 0);
    mosquitto_int_option(mqtt->library, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
    if (!mqtt->program->by_locks)
        mosquitto_username_pw_set(mqtt->library, mqtt->account, mqtt->token);
    mosquitto_connect_v5_callback_set(mqtt->library, on_connect);
    mosquitto_disconnect_v5_callback_set(mqtt->library, on_disconnect);
    mosquitto_subscribe_v5_callback_set(mqtt->library, on_subscribe);
    mosquitto_message_v5_callback_set(mqtt->library, on_message);
    mosquitto_property_add_string_pair(&properties, MQTT_PROP_USER_PROPERTY, "porthouse-stamp",
                                       "1");
    int failed = mosquitto_connect_bind_v5(mqtt->library, mqtt->host, mqtt->port, 60, NULL,
                                           properties);
    mosquitto_property_free_all(&properties);
    if (failed) mqtt_lost(mqtt, 0);
}

void link_subscribe(mqtt_t *mqtt, const char *filter)
{
    snprintf(subscribing, sizeof subscribing, "%s", filter);
    mosquitto_subscribe_v5(mqtt->library, NULL, filter, 1, MQTT_SUB_OPT_NO_LOCAL, NULL);
}

uint32_t link_publish(mqtt_t *mqtt, const char *topic, porthouse_view_t payload,
                      const char *content_type)
{
    mosquitto_property *properties = NULL;
    int id = 0;
    if (content_type != NULL) {
        mosquitto_property_add_byte(&properties, MQTT_PROP_PAYLOAD_FORMAT_INDICATOR, 1);
        mosquitto_property_add_string(&properties, MQTT_PROP_CONTENT_TYPE, content_type);
    }
    int failed = mosquitto_publish_v5(mqtt->library, &id, topic, (int)payload.length, payload.data,
                                      1, false, properties);
    mosquitto_property_free_all(&properties);
    return failed ? 0 : (uint32_t)id;
}

void link_work(mqtt_t *mqtt, uint32_t most_ms)
{
    if (mqtt->library == NULL) {
        struct timespec pause = {most_ms / 1000, (long)(most_ms % 1000) * 1000000};
        nanosleep(&pause, NULL);
    } else if (mosquitto_loop(mqtt->library, most_ms < 60000 ? (int)most_ms : 60000, 1) != 0 ||
               away) {
        mqtt_lost(mqtt, 0);
    }
}

void link_close(mqtt_t *mqtt)
{
    if (mqtt->library == NULL) return;
    mosquitto_disconnect(mqtt->library);
    mosquitto_destroy(mqtt->library);
    mqtt->library = NULL;
}
