/*
 * A device: tells its readings on a channel of the room, until somebody there says `stop`.
 * device ws://127.0.0.1:8080 demo/hello TOKEN 1000
 */
#include <stdlib.h>
#include <string.h>

#include "host/sending.h"

static bool is_in;
static bool is_to_stop;
static unsigned long reading;
static char text[64];
static sending_t telling;

static void on_event(host_t *host, const porthouse_event_t *event)
{
    if (event->kind == PORTHOUSE_JOINED && !is_in) {
        is_in = true;
        printf("in %.*s\n", VIEW(event->as.joined.address));
    }
    if (event->kind == PORTHOUSE_MESSAGE && event->as.message.is_text)
        is_to_stop |= porthouse_is(event->as.message.content, "stop");
    if (sending_done(&telling, host, event))
        printf("%s %lu\n", status_name(event->as.receipt.status), reading);
    sending_work(&telling, host);
    if (is_to_stop && sending_idle(&telling)) {
        printf("stopped\n");
        porthouse_close(&host->client);
        is_to_stop = false;
    }
}

static void on_time(host_t *host)
{
    if (!is_in || is_to_stop || !sending_idle(&telling)) return;
    snprintf(text, sizeof text, "{\"reading\":%lu}", ++reading);
    porthouse_send_t message = {
        .to = host->address,
        .channel = PORTHOUSE_TEXT("readings"),
        .content = porthouse_view(text),
        .is_text = true,
        .content_type = PORTHOUSE_TEXT("application/json"),
        .receipt = PORTHOUSE_ROUTED,
    };
    sending_start(&telling, &message);
    sending_work(&telling, host);
}

int main(int argc, char **argv)
{
    static host_program_t DEVICE = {.on_event = on_event, .on_time = on_time, .interval_ms = 1000};
    static host_t host;
    if (argc < 4 || argc > 5) {
        fprintf(stderr, "usage: device URL ADDRESS TOKEN [INTERVAL_MS]\n");
        return 2;
    }
    if (argc == 5) DEVICE.interval_ms = (uint32_t)strtoul(argv[4], NULL, 10);
    return host_init(&host, argv[1], argv[2], argv[3]) ? host_run(&host, &DEVICE) : 2;
}
