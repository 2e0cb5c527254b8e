/* Says hello in a room and hears one answer: hello ws://127.0.0.1:8080 demo/hello TOKEN */
#include "host/host.h"

static void on_event(host_t *host, const porthouse_event_t *event)
{
    static const porthouse_view_t HELLO = PORTHOUSE_TEXT("hello");
    switch (event->kind) {
    case PORTHOUSE_JOINED: {
        static bool said;
        if (said) break;
        said = true;
        porthouse_send_t hello = {.to = host->address, .content = HELLO, .is_text = true,
                                  .receipt = PORTHOUSE_ROUTED};
        host_check(host, porthouse_send(&host->client, &hello, NULL));
        break;
    }
    case PORTHOUSE_RECEIPT:
        host_check(host, event->code);
        if (event->code != PORTHOUSE_OK) break;
        printf("%s to %lu\n", status_name(event->as.receipt.status),
               (unsigned long)event->as.receipt.sockets);
        break;
    case PORTHOUSE_MESSAGE:
        printf("%.*s: %.*s\n", VIEW(event->as.message.from), VIEW(event->as.message.content));
        porthouse_close(&host->client);
        break;
    default: break;
    }
}

int main(int argc, char **argv)
{
    static const host_program_t HELLO = {.on_event = on_event};
    static host_t host;
    if (argc != 4) {
        fprintf(stderr, "usage: hello URL ADDRESS TOKEN\n");
        return 2;
    }
    return host_init(&host, argv[1], argv[2], argv[3]) ? host_run(&host, &HELLO) : 2;
}
