/*
 * A device over MQTT: tells its readings on a channel of the room, until somebody there says
 * `stop`. device-mosquitto mqtt://127.0.0.1:1883 demo/hello TOKEN 1000, and device-paho
 */
#include <stdlib.h>
#include <string.h>

#include "mqtt/mqtt.h"

static bool is_in, is_to_stop;
static unsigned long reading;
/* Packet id of the reading whose receipt is to come; 0: none. */
static uint32_t asked;

static void on_ready(mqtt_t *mqtt)
{
    if (!is_in) printf("in %.*s\n", VIEW(mqtt->address));
    is_in = true;
    asked = 0;
}

static void stop(mqtt_t *mqtt)
{
    printf("stopped\n");
    mqtt_leave(mqtt, PORTHOUSE_OK);
}

static void on_event(mqtt_t *mqtt, const porthouse_event_t *event)
{
    if (event->kind != PORTHOUSE_RECEIPT || event->id != asked) return;
    if (event->code != PORTHOUSE_OK) return mqtt_leave(mqtt, event->code);
    printf("%s %lu\n", status_name(event->as.receipt.status), reading);
    asked = 0;
    if (is_to_stop) stop(mqtt);
}

static void on_message(mqtt_t *mqtt, porthouse_view_t from, porthouse_view_t payload)
{
    (void)from;
    is_to_stop |= porthouse_is(payload, "stop");
    if (is_to_stop && asked == 0) stop(mqtt);
}

static void on_time(mqtt_t *mqtt)
{
    char topic[600], text[64];
    if (!mqtt->is_ready || is_to_stop || asked != 0) return;
    snprintf(topic, sizeof topic, "%.*s/readings", VIEW(porthouse_mqtt_topic(mqtt->address)));
    snprintf(text, sizeof text, "{\"reading\":%lu}", ++reading);
    asked = link_publish(mqtt, topic, porthouse_view(text), "application/json");
}

int main(int argc, char **argv)
{
    static mqtt_program_t DEVICE = {.on_ready = on_ready, .on_event = on_event,
                                    .on_message = on_message, .on_time = on_time,
                                    .interval_ms = 1000};
    static mqtt_t mqtt;
    if (argc < 4 || argc > 5) {
        fprintf(stderr, "usage: %s URL ADDRESS TOKEN [INTERVAL_MS]\n", argv[0]);
        return 2;
    }
    if (argc == 5) DEVICE.interval_ms = (uint32_t)strtoul(argv[4], NULL, 10);
    return mqtt_run(&mqtt, argv, &DEVICE);
}
