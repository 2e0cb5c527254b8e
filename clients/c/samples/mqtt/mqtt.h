/*
 * What the samples for MQTT stand on: one thread, a library of MQTT (mosquitto.c or paho.c), and
 * the core for locks and receipts. A firmware has its own of each.
 */
#ifndef MQTT_H
#define MQTT_H

#include <porthouse.h>
#include <porthouse/mqtt.h>
#include <stdio.h>

#include "../host/words.h"

typedef struct mqtt mqtt_t;

/* A sample. */
typedef struct {
    /* The room is subscribed to. */
    void (*on_ready)(mqtt_t *mqtt);
    /* Sees what the core tells: receipts have the packet id of their PUBLISH. */
    void (*on_event)(mqtt_t *mqtt, const porthouse_event_t *event);
    /* A message of the room; `from` is its sender's address. */
    void (*on_message)(mqtt_t *mqtt, porthouse_view_t from, porthouse_view_t payload);
    /* Called each `interval_ms`; NULL: never. */
    void (*on_time)(mqtt_t *mqtt);
    uint32_t interval_ms;
    /* Without user name and password: the core answers the locks that are met. */
    bool by_locks;
} mqtt_program_t;

struct mqtt {
    porthouse_t client;
    porthouse_options_t options;
    const mqtt_program_t *program;
    /* Of the room, with its `room:`. */
    porthouse_view_t address;

    /* For the library. */
    char host[256];
    int port;
    char account[64];
    const char *token;
    /* Its own. */
    void *library;

    uint8_t out[1024];
    char address_text[600];
    char filter[600];
    bool is_ready, was_ready, to_close, over;
    uint32_t due_ms;
    porthouse_code_t code;
};

/* Runs `NAME URL ADDRESS TOKEN` until it was left. Gives the exit code of the program. */
int mqtt_run(mqtt_t *mqtt, char **argv, const mqtt_program_t *program);

/* Leaves; because of a code, whose name goes to stderr. */
void mqtt_leave(mqtt_t *mqtt, porthouse_code_t code);

/* --- By the library's file ------------------------------------------------------------------ */

/* Connects; mqtt_connected() or mqtt_lost() follows. */
void link_connect(mqtt_t *mqtt);
/* By QoS 1; mqtt_subscribed() or mqtt_lost() follows. */
void link_subscribe(mqtt_t *mqtt, const char *filter);
/* By QoS 1, as text where it has a content type. Gives the packet id; 0: it could not. */
uint32_t link_publish(mqtt_t *mqtt, const char *topic, porthouse_view_t payload,
                      const char *content_type);
/* Waits for what comes. */
void link_work(mqtt_t *mqtt, uint32_t most_ms);
void link_close(mqtt_t *mqtt);

/* --- For the library's file ----------------------------------------------------------------- */

void mqtt_connected(mqtt_t *mqtt);
void mqtt_subscribed(mqtt_t *mqtt, const char *filter);
void mqtt_heard(mqtt_t *mqtt, porthouse_view_t topic, porthouse_view_t payload,
                porthouse_view_t from);
/* `reason` as MQTT 5 has it; 0: the connection just ended. */
void mqtt_lost(mqtt_t *mqtt, int reason);

#endif
