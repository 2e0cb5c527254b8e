/* MQTT 3.1.1 by libmosquitto, whose callbacks come from mosquitto_loop(). */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "play.h"

enum {
    KEEP_ALIVE_S = 60,
    /* SUBACK and CONNACK, as MQTT 3.1.1 has them. */
    REFUSED = 0x80,
    SERVER_UNAVAILABLE = 3,
    /* A refused SUBSCRIBE has no code: one that the table does not have either. */
    UNTOLD = 0xFFFF
};

/* What the core hears, in the order in which it is asked for. */
static const char *const TOPICS[] = {PORTHOUSE_MQTT_LOCK, PORTHOUSE_MQTT_RECEIPT,
                                     PORTHOUSE_MQTT_COMMAND};
enum { TOPIC_COUNT = sizeof TOPICS / sizeof *TOPICS };

bool mqtt_is_ready(const mqtt_t *mqtt)
{
    return mqtt->granted == TOPIC_COUNT;
}

/* --- Rooms ---------------------------------------------------------------------------------- */

static uint32_t subscribe(mqtt_t *mqtt, const char *address)
{
    char filter[700];
    int id = 0;
    if (porthouse_mqtt_filter(porthouse_view(address), filter, sizeof filter) == 0) return 0;
    return mosquitto_subscribe(mqtt->library, &id, filter, 1) == 0 ? (uint32_t)id : 0;
}

void mqtt_join(play_t *play, act_t *act)
{
    if (play->mqtt.library != NULL) act->id = subscribe(&play->mqtt, act->address);
    if (act->id == 0) act_fail(act, PORTHOUSE_ADDRESS_INVALID, 0);
}

void mqtt_leave(play_t *play, act_t *act)
{
    char filter[700];
    int id = 0;
    size_t length = porthouse_mqtt_filter(porthouse_view(act->address), filter, sizeof filter);
    if (length == 0 || place_of(play, act->address) == NULL || play->mqtt.library == NULL ||
        mosquitto_unsubscribe(play->mqtt.library, &id, filter) != 0)
        return act_fail(act, PORTHOUSE_OK, 0);
    act->id = (uint32_t)id;
}

/* Places of one room have one number, as routes do. */
static uint32_t route_of(play_t *play, const char *address)
{
    porthouse_view_t topic = porthouse_mqtt_topic(porthouse_view(address));
    porthouse_mqtt_channel(&topic);
    for (size_t i = 0; i < play->place_count; i++) {
        porthouse_view_t other = porthouse_mqtt_topic(porthouse_view(play->places[i].address));
        porthouse_mqtt_channel(&other);
        if (topic.length == other.length && memcmp(topic.data, other.data, topic.length) == 0)
            return (uint32_t)i + 1;
    }
    return 0;
}

static void entered(play_t *play, act_t *act)
{
    const porthouse_Joined nothing_known = porthouse_Joined_init_zero;
    bytes_t told = {0};
    place_t *place = place_enter(play, act->address, &nothing_known);
    if (place != NULL) place->route = route_of(play, act->address);
    put_view(&told, 1, porthouse_view(act->address));
    act_end(act, TOLD_JOINED, bytes_view(&told));
    bytes_free(&told);
}

static void back_in(play_t *play, uint32_t id, bool is_refused)
{
    for (size_t i = 0; i < play->place_count; i++) {
        place_t *place = &play->places[i];
        if (place->asked != id || place->is_back) continue;
        if (is_refused) place_leave(play, place->address);
        place->is_back = true;
    }
    if (play->coming_back) check_back(play);
}

/* --- The library ---------------------------------------------------------------------------- */

static void listen_to_next(mqtt_t *mqtt)
{
    mosquitto_subscribe(mqtt->library, &mqtt->asked, TOPICS[mqtt->granted], 1);
}

static void ready(play_t *play)
{
    check_connected(play, false);
    if (!play->coming_back) return;
    for (size_t i = 0; i < play->place_count; i++) {
        place_t *place = &play->places[i];
        place->is_back = false;
        if (place->address[0] != '\0') place->asked = subscribe(&play->mqtt, place->address);
    }
    check_back(play);
}

static void on_connect(struct mosquitto *library, void *of, int code)
{
    play_t *play = of;
    (void)library;
    if (code == 0) return listen_to_next(&play->mqtt);
    play->mqtt.refused = code == SERVER_UNAVAILABLE ? PORTHOUSE_UNAVAILABLE
                                                    : PORTHOUSE_UNAUTHENTICATED;
    play->mqtt.over = true;
}

static void on_subscribe(struct mosquitto *library, void *of, int id, int count,
                         const int *granted)
{
    play_t *play = of;
    mqtt_t *mqtt = &play->mqtt;
    bool is_refused = count != 1 || granted[0] >= REFUSED;
    (void)library;
    if (id != mqtt->asked) {
        act_t *act = act_of(play, DOES_JOIN, (uint32_t)id);
        if (act == NULL) back_in(play, (uint32_t)id, is_refused);
        else if (is_refused) act_fail(act, UNTOLD, 0);
        else entered(play, act);
        return;
    }
    mqtt->asked = 0;
    if (is_refused) {
        mqtt->over = true;
        return;
    }
    if (mqtt->granted++ == 0) porthouse_opened(&play->client, play_now());
    if (mqtt_is_ready(mqtt)) ready(play);
    else if (!mqtt->is_in_limbo) listen_to_next(mqtt);
}

void mqtt_unlocked(mqtt_t *mqtt)
{
    if (!mqtt->is_in_limbo || mqtt->granted != 1) return;
    mqtt->is_in_limbo = false;
    listen_to_next(mqtt);
}

static void on_unsubscribe(struct mosquitto *library, void *of, int id)
{
    act_t *act = act_of(of, DOES_LEAVE, (uint32_t)id);
    (void)library;
    if (act == NULL) return;
    place_leave(of, act->address);
    act_done(act);
}

static void on_message(struct mosquitto *library, void *of, const struct mosquitto_message *heard)
{
    play_t *play = of;
    porthouse_view_t topic = porthouse_view(heard->topic);
    porthouse_event_t event;
    (void)library;
    if (porthouse_mqtt_is_reserved(topic))
        return play_bytes(play, heard->payload, (size_t)heard->payloadlen, true);
    char address[700];
    memset(&event, 0, sizeof event);
    event.kind = PORTHOUSE_MESSAGE;
    event.as.message.content = (porthouse_view_t){heard->payload, (size_t)heard->payloadlen};
    event.as.message.channel = porthouse_mqtt_channel(&topic);
    snprintf(address, sizeof address, "room:%.*s", (int)topic.length, (const char *)topic.data);
    event.as.message.route = route_of(play, address);
    if (event.as.message.route != 0) place_hear(play, &event);
}

void mqtt_open(play_t *play)
{
    mqtt_t *mqtt = &play->mqtt;
    char host[256], who[256], password[256];
    int port = 0;
    memset(mqtt, 0, sizeof *mqtt);
    mqtt->is_in_limbo = play->who.length == 0;
    mqtt->library = mosquitto_new(NULL, true, play);
    if (mqtt->library == NULL || sscanf(play->url_text, "mqtt://%255[^:/]:%d", host, &port) != 2) {
        mqtt->over = true;
        return;
    }
    snprintf(who, sizeof who, "%.*s", (int)play->who.length, (const char *)play->who.data);
    snprintf(password, sizeof password, "%.*s", (int)play->password.length,
             (const char *)play->password.data);
    mosquitto_int_option(mqtt->library, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V311);
    if (!mqtt->is_in_limbo) mosquitto_username_pw_set(mqtt->library, who, password);
    mosquitto_connect_callback_set(mqtt->library, on_connect);
    mosquitto_subscribe_callback_set(mqtt->library, on_subscribe);
    mosquitto_unsubscribe_callback_set(mqtt->library, on_unsubscribe);
    mosquitto_message_callback_set(mqtt->library, on_message);
    if (mosquitto_connect(mqtt->library, host, port, KEEP_ALIVE_S) != 0) mqtt->over = true;
}

void mqtt_work(mqtt_t *mqtt, uint32_t most_ms)
{
    int wait_ms = most_ms < 1000 ? (int)most_ms : 1000;
    if (mqtt->library == NULL) poll(NULL, 0, wait_ms);
    else if (mosquitto_loop(mqtt->library, wait_ms, 1) != 0) mqtt->over = true;
}

void mqtt_lost(play_t *play)
{
    for (size_t i = 0; i < play->act_count; i++) {
        act_t *act = &play->acts[i];
        bool is_sent = act->kind == DOES_SEND && act->id != 0;
        if (!act->over && is_sent) act_fail(act, PORTHOUSE_UNCERTAIN, 0);
    }
}

void mqtt_close(mqtt_t *mqtt)
{
    if (mqtt->library == NULL) return;
    mosquitto_disconnect(mqtt->library);
    mosquitto_destroy(mqtt->library);
    memset(mqtt, 0, sizeof *mqtt);
}

/* --- What is said --------------------------------------------------------------------------- */

static uint32_t publish(mqtt_t *mqtt, const char *topic, porthouse_view_t payload, int quality)
{
    int id = 0;
    return mosquitto_publish(mqtt->library, &id, topic, (int)payload.length, payload.data, quality,
                             false) == 0
               ? (uint32_t)id
               : 0;
}

void mqtt_flush(play_t *play)
{
    porthouse_view_t packet;
    porthouse_mqtt_publish_t one;
    while (!play->over && play->mqtt.granted > 0 && porthouse_output(&play->client, &packet)) {
        while (porthouse_mqtt_next(&packet, &one))
            publish(&play->mqtt, one.topic, one.payload, 1);
        porthouse_sent(&play->client);
    }
}

void mqtt_say(play_t *play, act_t *act, porthouse_view_t content, bool asks_receipt)
{
    char topic[1300];
    porthouse_view_t room = porthouse_mqtt_topic(porthouse_view(act->address));
    bool has_channel = act->name.length > 0;
    snprintf(topic, sizeof topic, "%.*s%s%.*s", (int)room.length, (const char *)room.data,
             has_channel ? "/" : "", (int)act->name.length,
             has_channel ? (const char *)act->name.data : "");
    if (room.length == 0) return act_fail(act, PORTHOUSE_ADDRESS_INVALID, 0);
    if (play->mqtt.library == NULL) return act_fail(act, PORTHOUSE_UNAVAILABLE, 0);
    act->id = publish(&play->mqtt, topic, content, asks_receipt);
    if (act->id == 0) return act_fail(act, PORTHOUSE_ADDRESS_INVALID, 0);
    if (!asks_receipt) act_done(act);
}
