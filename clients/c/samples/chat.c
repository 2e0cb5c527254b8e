/*
 * Talks in a room: says each line of its input, shows what it hears, until its input ends.
 * chat ws://127.0.0.1:8080 demo/hello TOKEN
 */
#include "host/sending.h"

static bool is_in;
static sending_t saying;

static void on_event(host_t *host, const porthouse_event_t *event)
{
    const porthouse_message_t *heard = &event->as.message;
    if (event->kind == PORTHOUSE_JOINED && !is_in) {
        is_in = true;
        printf("in %.*s\n", VIEW(event->as.joined.address));
    }
    if (event->kind == PORTHOUSE_MESSAGE && heard->is_text)
        printf("%.*s: %.*s\n", VIEW(heard->from), VIEW(heard->content));
    if (sending_done(&saying, host, event)) {
        /* The line can go. */
        input_taken(&host->input);
    }
    sending_work(&saying, host);
}

/* A line stays where it is until its receipt has come. */
static bool on_line(host_t *host, const porthouse_view_t *line)
{
    if (!is_in || !sending_idle(&saying)) return false;
    if (line == NULL) {
        porthouse_close(&host->client);
        return true;
    }
    porthouse_send_t message = {.to = host->address, .content = *line, .is_text = true,
                                .receipt = PORTHOUSE_ROUTED};
    sending_start(&saying, &message);
    sending_work(&saying, host);
    return false;
}

int main(int argc, char **argv)
{
    static const host_program_t CHAT = {.on_event = on_event, .on_line = on_line};
    static host_t host;
    if (argc != 4) {
        fprintf(stderr, "usage: chat URL ADDRESS TOKEN\n");
        return 2;
    }
    return host_init(&host, argv[1], argv[2], argv[3]) ? host_run(&host, &CHAT) : 2;
}
