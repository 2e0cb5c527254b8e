/*
 * Says hello in a room and hears one answer, over MQTT; the core opens the lock, on its topic.
 * hello-mosquitto mqtt://127.0.0.1:1883 demo/hello TOKEN, and hello-paho
 */
#include "mqtt/mqtt.h"

static uint32_t hello;

static void on_ready(mqtt_t *mqtt)
{
    /* The topic of a room is its address without `room:`. */
    const char *topic = (const char *)porthouse_mqtt_topic(mqtt->address).data;
    if (hello == 0) hello = link_publish(mqtt, topic, porthouse_view("hello"), "text/plain");
}

static void on_event(mqtt_t *mqtt, const porthouse_event_t *event)
{
    if (event->kind != PORTHOUSE_RECEIPT || event->id != hello) return;
    if (event->code != PORTHOUSE_OK) return mqtt_leave(mqtt, event->code);
    printf("%s to %lu\n", status_name(event->as.receipt.status),
           (unsigned long)event->as.receipt.sockets);
}

static void on_message(mqtt_t *mqtt, porthouse_view_t from, porthouse_view_t payload)
{
    printf("%.*s: %.*s\n", VIEW(from), VIEW(payload));
    mqtt_leave(mqtt, PORTHOUSE_OK);
}

int main(int argc, char **argv)
{
    static const mqtt_program_t HELLO = {
        .on_ready = on_ready, .on_event = on_event, .on_message = on_message, .by_locks = true};
    static mqtt_t mqtt;
    if (argc != 4) {
        fprintf(stderr, "usage: %s URL ADDRESS TOKEN\n", argv[0]);
        return 2;
    }
    return mqtt_run(&mqtt, argv, &HELLO);
}
