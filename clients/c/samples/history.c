/*
 * A board: shows all that was ever said, and adds a line that is there for good.
 * history ws://127.0.0.1:8080 demo/board TOKEN 'a line'
 */
#include <string.h>

#include "host/sending.h"

static const char *line;
static sending_t adding;

static void on_event(host_t *host, const porthouse_event_t *event)
{
    const porthouse_message_t *said = &event->as.message;
    switch (event->kind) {
    case PORTHOUSE_JOINED: host_check(host, event->as.joined.backlog.code); break;
    case PORTHOUSE_MESSAGE:
        if (said->replay == porthouse_Replay_REPLAY_HISTORY)
            printf("%llu %.*s: %.*s\n", (unsigned long long)said->sequence, VIEW(said->from),
                   VIEW(said->content));
        break;
    case PORTHOUSE_CAUGHT_UP:
        if (line != NULL) {
            porthouse_send_t message = {.to = host->address, .content = porthouse_view(line),
                                        .is_text = true, .receipt = PORTHOUSE_STORED};
            if (sending_idle(&adding)) sending_start(&adding, &message);
        } else {
            porthouse_close(&host->client);
        }
        break;
    default: break;
    }
    if (sending_done(&adding, host, event)) {
        printf("%s %llu\n", status_name(event->as.receipt.status),
               (unsigned long long)event->as.receipt.sequence);
        porthouse_close(&host->client);
    }
    sending_work(&adding, host);
}

int main(int argc, char **argv)
{
    static const host_program_t HISTORY = {.on_event = on_event, .since = PORTHOUSE_AFTER};
    static host_t host;
    if (argc < 4 || argc > 5) {
        fprintf(stderr, "usage: history URL ADDRESS TOKEN [LINE]\n");
        return 2;
    }
    line = argv[4];
    return host_init(&host, argv[1], argv[2], argv[3]) ? host_run(&host, &HISTORY) : 2;
}
