#define _DEFAULT_SOURCE
#include "mqtt.h"

#include <string.h>

#include "../host/machine.h"

/* --- The core ------------------------------------------------------------------------------- */

static void flush(mqtt_t *mqtt)
{
    porthouse_view_t packet;
    porthouse_mqtt_publish_t publish;
    while (porthouse_output(&mqtt->client, &packet)) {
        while (porthouse_mqtt_next(&packet, &publish))
            link_publish(mqtt, publish.topic, publish.payload, NULL);
        porthouse_sent(&mqtt->client);
    }
}

static void see(mqtt_t *mqtt, const porthouse_event_t *event)
{
    switch (event->kind) {
    case PORTHOUSE_CONNECT: link_connect(mqtt); break;
    case PORTHOUSE_VERDICT:
        /* Somebody now, who may hear more than locks. */
        if (event->as.verdict.says.outcome == porthouse_Outcome_OUTCOME_PASSED && !mqtt->is_ready)
            link_subscribe(mqtt, PORTHOUSE_MQTT_RECEIPT);
        break;
    case PORTHOUSE_ENDED:
        mqtt->is_ready = false;
        mqtt->to_close = true;
        if (event->as.ended.again && mqtt->was_ready) break;
        mqtt->over = true;
        if (mqtt->code == PORTHOUSE_OK) mqtt->code = event->code;
        break;
    default: break;
    }
}

static void drain(mqtt_t *mqtt)
{
    porthouse_event_t event;
    /* No library likes to be closed in a callback of its own. */
    while (!mqtt->to_close && porthouse_next(&mqtt->client, &event)) {
        see(mqtt, &event);
        mqtt->program->on_event(mqtt, &event);
    }
    flush(mqtt);
}

/* --- The library ---------------------------------------------------------------------------- */

void mqtt_connected(mqtt_t *mqtt)
{
    link_subscribe(mqtt, mqtt->program->by_locks ? PORTHOUSE_MQTT_LOCK : PORTHOUSE_MQTT_RECEIPT);
}

void mqtt_subscribed(mqtt_t *mqtt, const char *filter)
{
    if (strcmp(filter, mqtt->filter) == 0) {
        mqtt->is_ready = mqtt->was_ready = true;
        mqtt->program->on_ready(mqtt);
        return;
    }
    /* Once for each connection: with the first topic of the core. */
    porthouse_opened(&mqtt->client, machine_now());
    if (strcmp(filter, PORTHOUSE_MQTT_RECEIPT) == 0) link_subscribe(mqtt, mqtt->filter);
    drain(mqtt);
}

void mqtt_heard(mqtt_t *mqtt, porthouse_view_t topic, porthouse_view_t payload,
                porthouse_view_t from)
{
    if (porthouse_mqtt_is_reserved(topic)) {
        porthouse_received(&mqtt->client, machine_now(), payload.data, payload.length, true);
        drain(mqtt);
    } else {
        mqtt->program->on_message(mqtt, from, payload);
    }
}

void mqtt_lost(mqtt_t *mqtt, int reason)
{
    if (reason == 0x86 || reason == 0x87) mqtt_leave(mqtt, PORTHOUSE_UNAUTHENTICATED);
    else porthouse_closed(&mqtt->client, machine_now(), 0);
}

/* --- The program ---------------------------------------------------------------------------- */

static bool read_arguments(mqtt_t *mqtt, char **argv)
{
    const char *address = argv[2];
    mqtt->token = argv[3];
    if (sscanf(argv[1], "mqtt://%255[^:/]:%d", mqtt->host, &mqtt->port) != 2) return false;
    if (strncmp(address, "room:", 5) == 0) address += 5;
    snprintf(mqtt->address_text, sizeof mqtt->address_text, "room:%s", address);
    mqtt->address = porthouse_view(mqtt->address_text);
    return sscanf(address, "%63[^/]", mqtt->account) == 1 &&
           porthouse_mqtt_filter(mqtt->address, mqtt->filter, sizeof mqtt->filter) > 0;
}

int mqtt_run(mqtt_t *mqtt, char **argv, const mqtt_program_t *program)
{
    memset(mqtt, 0, sizeof *mqtt);
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!read_arguments(mqtt, argv)) {
        fprintf(stderr, "%s\n", porthouse_code_name(PORTHOUSE_ADDRESS_INVALID));
        return 2;
    }
    mqtt->program = program;
    mqtt->options = (porthouse_options_t){
        .transport = PORTHOUSE_MQTT,
        .out = {mqtt->out, sizeof mqtt->out},
        .random = machine_chance,
        .token = porthouse_view(program->by_locks ? mqtt->token : NULL),
    };
    porthouse_init(&mqtt->client, &mqtt->options);
    mqtt->due_ms = machine_now();
    while (!mqtt->over) {
        if (program->on_time != NULL && (int32_t)(mqtt->due_ms - machine_now()) <= 0) {
            mqtt->due_ms = machine_now() + program->interval_ms;
            program->on_time(mqtt);
        }
        uint32_t most_ms = porthouse_tick(&mqtt->client, machine_now());
        drain(mqtt);
        uint32_t due_in = mqtt->due_ms - machine_now();
        if (program->on_time != NULL && due_in < most_ms) most_ms = due_in;
        if (!mqtt->to_close) {
            link_work(mqtt, most_ms);
            continue;
        }
        link_close(mqtt);
        mqtt->to_close = false;
    }
    if (mqtt->code != PORTHOUSE_OK) fprintf(stderr, "%s\n", porthouse_code_name(mqtt->code));
    return mqtt->code == PORTHOUSE_OK ? 0 : 1;
}

void mqtt_leave(mqtt_t *mqtt, porthouse_code_t code)
{
    if (mqtt->code == PORTHOUSE_OK) mqtt->code = code;
    porthouse_close(&mqtt->client);
}
