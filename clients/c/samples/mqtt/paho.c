/* MQTT 5 by paho, in its mode without threads: all that comes is taken by MQTTClient_receive(). */
#define _POSIX_C_SOURCE 200809L
#include <MQTTClient.h>
#include <string.h>
#include <time.h>

#include "mqtt.h"

/* The longest that it waits at once, since it sees to its keep alive in between. */
#define WAIT_MS_MAX 1000

static MQTTClient client_of(const mqtt_t *mqtt)
{
    return (MQTTClient)mqtt->library;
}

static int login(mqtt_t *mqtt, MQTTProperties *stamped)
{
    MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer5;
    options.connectTimeout = 10;
    if (!mqtt->program->by_locks) {
        options.username = mqtt->account;
        options.password = mqtt->token;
    }
    MQTTResponse answer = MQTTClient_connect5(client_of(mqtt), &options, stamped, NULL);
    int reason = answer.reasonCode;
    MQTTResponse_free(answer);
    return reason;
}

void link_connect(mqtt_t *mqtt)
{
    MQTTClient_createOptions how = MQTTClient_createOptions_initializer;
    MQTTProperties properties = MQTTProperties_initializer;
    MQTTProperty stamp = {.identifier = MQTTPROPERTY_CODE_USER_PROPERTY};
    char address[300];
    how.MQTTVersion = MQTTVERSION_5;
    snprintf(address, sizeof address, "tcp://%s:%d", mqtt->host, mqtt->port);
    if (MQTTClient_createWithOptions(&mqtt->library, address, "", MQTTCLIENT_PERSISTENCE_NONE,
                                     NULL, &how) != MQTTCLIENT_SUCCESS) {
        mqtt->library = NULL;
        return mqtt_lost(mqtt, 0);
    }
    stamp.value.data = (MQTTLenString){sizeof "porthouse-stamp" - 1, "porthouse-stamp"};
    stamp.value.value = (MQTTLenString){1, "1"};
    MQTTProperties_add(&properties, &stamp);
    int reason = login(mqtt, &properties);
    MQTTProperties_free(&properties);
    if (reason == MQTTREASONCODE_SUCCESS) mqtt_connected(mqtt);
    else mqtt_lost(mqtt, reason);
}

void link_subscribe(mqtt_t *mqtt, const char *filter)
{
    MQTTSubscribe_options options = MQTTSubscribe_options_initializer;
    options.noLocal = 1;
    MQTTResponse answer = MQTTClient_subscribe5(client_of(mqtt), filter, 1, &options, NULL);
    int reason = answer.reasonCode;
    MQTTResponse_free(answer);
    if (reason == MQTTREASONCODE_GRANTED_QOS_1) mqtt_subscribed(mqtt, filter);
    else mqtt_lost(mqtt, reason);
}

uint32_t link_publish(mqtt_t *mqtt, const char *topic, porthouse_view_t payload,
                      const char *content_type)
{
    MQTTClient_message message = MQTTClient_message_initializer;
    MQTTProperty format = {.identifier = MQTTPROPERTY_CODE_PAYLOAD_FORMAT_INDICATOR};
    MQTTProperty type = {.identifier = MQTTPROPERTY_CODE_CONTENT_TYPE};
    MQTTClient_deliveryToken id = 0;
    message.payload = (void *)payload.data;
    message.payloadlen = (int)payload.length;
    message.qos = 1;
    if (content_type != NULL) {
        format.value.byte = 1;
        type.value.data = (MQTTLenString){(int)strlen(content_type), (char *)content_type};
        MQTTProperties_add(&message.properties, &format);
        MQTTProperties_add(&message.properties, &type);
    }
    MQTTResponse answer = MQTTClient_publishMessage5(client_of(mqtt), topic, &message, &id);
    int reason = answer.reasonCode;
    MQTTResponse_free(answer);
    MQTTProperties_free(&message.properties);
    return reason == MQTTREASONCODE_SUCCESS ? (uint32_t)id : 0;
}

static porthouse_view_t sender_of(const MQTTProperties *properties)
{
    for (int i = 0; i < properties->count; i++) {
        const MQTTProperty *at = &properties->array[i];
        if (at->identifier != MQTTPROPERTY_CODE_USER_PROPERTY) continue;
        porthouse_view_t name = {(uint8_t *)at->value.data.data, (size_t)at->value.data.len};
        porthouse_view_t value = {(uint8_t *)at->value.value.data, (size_t)at->value.value.len};
        if (porthouse_is(name, "porthouse-from")) return value;
    }
    return porthouse_view(NULL);
}

void link_work(mqtt_t *mqtt, uint32_t most_ms)
{
    MQTTClient_message *heard = NULL;
    char *topic = NULL;
    int length = 0;
    if (most_ms > WAIT_MS_MAX) most_ms = WAIT_MS_MAX;
    if (mqtt->library == NULL) {
        struct timespec pause = {0, (long)most_ms * 1000000};
        nanosleep(&pause, NULL);
        return;
    }
    int code = MQTTClient_receive(client_of(mqtt), &topic, &length, &heard, most_ms);
    if (heard != NULL) {
        porthouse_view_t name = {(uint8_t *)topic, (size_t)length};
        porthouse_view_t payload = {heard->payload, (size_t)heard->payloadlen};
        mqtt_heard(mqtt, name, payload, sender_of(&heard->properties));
        MQTTClient_freeMessage(&heard);
        MQTTClient_free(topic);
    }
    if (code != MQTTCLIENT_SUCCESS && code != MQTTCLIENT_TOPICNAME_TRUNCATED) mqtt_lost(mqtt, 0);
}

void link_close(mqtt_t *mqtt)
{
    MQTTClient client = client_of(mqtt);
    if (client == NULL) return;
    MQTTClient_disconnect5(client, 1000, MQTTREASONCODE_SUCCESS, NULL);
    MQTTClient_destroy(&client);
    mqtt->library = NULL;
}
