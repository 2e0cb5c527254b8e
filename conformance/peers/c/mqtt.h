/* One connection by MQTT 3.1.1: libmosquitto, and the core for locks and receipts. */
#ifndef MQTT_H
#define MQTT_H

#include <mosquitto.h>
#include <porthouse.h>
#include <porthouse/mqtt.h>

typedef struct play play_t;
struct act;

typedef struct {
    struct mosquitto *library;
    /* Of the core's topics, those that it listens to; and the SUBSCRIBE of the next one. */
    unsigned granted;
    int asked;
    /* Without a user name there is but the topic of locks, until one is open [PH-17.14]. */
    bool is_in_limbo;
    /* Why it is over; 0: it just ended. */
    bool over;
    porthouse_code_t refused;
} mqtt_t;

/* Connects, and listens to what the core hears. */
void mqtt_open(play_t *play);
bool mqtt_is_ready(const mqtt_t *mqtt);
/* A lock has passed. */
void mqtt_unlocked(mqtt_t *mqtt);
/* Waits for what comes. */
void mqtt_work(mqtt_t *mqtt, uint32_t most_ms);
/* Publishes what the core has to say. */
void mqtt_flush(play_t *play);
/* The connection has ended, and another one follows: what was not acknowledged is uncertain. */
void mqtt_lost(play_t *play);
void mqtt_close(mqtt_t *mqtt);

/* What the application does by its own MQTT client. */
void mqtt_join(play_t *play, struct act *act);
void mqtt_leave(play_t *play, struct act *act);
void mqtt_say(play_t *play, struct act *act, porthouse_view_t content, bool asks_receipt);

#endif
