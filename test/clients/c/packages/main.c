/* A firmware of somebody's: it has a client, and each of the bindings. */
#include <porthouse.h>
#include <porthouse/mqtt.h>
#include <porthouse/websocket.h>
#include <stdio.h>

int main(void)
{
    static uint8_t out[PORTHOUSE_OUT_BYTES];
    static const porthouse_options_t OPTIONS = {.out = {out, sizeof out}};
    static porthouse_t client;
    porthouse_websocket_url_t url;
    porthouse_event_t event;
    porthouse_init(&client, &OPTIONS);
    if (!porthouse_next(&client, &event) || event.kind != PORTHOUSE_CONNECT) return 1;
    if (!porthouse_websocket_split("ws://hub.example", &url)) return 1;
    if (porthouse_mqtt_topic(porthouse_view("room:acme/field")).length != 10) return 1;
    printf("%s with %d rooms\n", PORTHOUSE_VERSION, PORTHOUSE_ROOMS);
    return 0;
}
