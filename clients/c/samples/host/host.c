#define _DEFAULT_SOURCE
#include "host.h"

#include <limits.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "machine.h"

/* A connection that ended sooner did not last; after so many in a row it gives up. */
#define LASTING_MS 10000
#define SHORT_LIVED_MAX 5

/* --- What happens --------------------------------------------------------------------------- */

/* Says why it leaves, in the gateway's own numbers. */
static uint16_t close_status(porthouse_code_t code)
{
    if (code == PORTHOUSE_OK) return WSLAY_CODE_NORMAL_CLOSURE;
    return (uint16_t)((porthouse_code_temporary(code) ? 4000 : 4500) + code);
}

static void ended(host_t *host, const porthouse_event_t *event)
{
    porthouse_code_t code = host->refused != PORTHOUSE_OK ? host->refused : event->code;
    if (host->is_open)
        host->short_lived =
            machine_now() - host->opened_ms < LASTING_MS ? host->short_lived + 1 : 0;
    host->to_close = true;
    host->status = close_status(event->code);
    /* As for the first time: who never was in is told why, and may try again himself. */
    if (event->as.ended.again && host->was_in && host->short_lived < SHORT_LIVED_MAX) return;
    host->over = true;
    if (host->code == PORTHOUSE_OK) host->code = code;
}

static void see(host_t *host, const porthouse_event_t *event)
{
    switch (event->kind) {
    case PORTHOUSE_CONNECT: websocket_open(&host->websocket, &host->url); break;
    case PORTHOUSE_JOINED: host->was_in = true; break;
    case PORTHOUSE_REFUSED:
    case PORTHOUSE_LEFT: host_check(host, event->code); break;
    case PORTHOUSE_SKIPPED:
        fprintf(stderr, "too large: %lu bytes\n", (unsigned long)event->as.skipped.length);
        break;
    case PORTHOUSE_ENDED: ended(host, event); break;
    default: break;
    }
}

static void drain(host_t *host)
{
    porthouse_event_t event;
    while (!host->to_close && porthouse_next(&host->client, &event)) {
        see(host, &event);
        host->program->on_event(host, &event);
    }
}

static void on_open(void *of)
{
    host_t *host = of;
    host->is_open = true;
    host->opened_ms = machine_now();
    porthouse_opened(&host->client, host->opened_ms);
}

static void on_bytes(void *of, const uint8_t *bytes, size_t length, bool last)
{
    host_t *host = of;
    if (!host->to_close) porthouse_received(&host->client, machine_now(), bytes, length, last);
    drain(host);
}

/* --- One turn ------------------------------------------------------------------------------- */

/* Ends the connection where either side has ended it; whether that was so. */
static bool tidy(host_t *host)
{
    websocket_t *websocket = &host->websocket;
    if (!websocket->over && !host->to_close) return false;
    if (!host->to_close) {
        uint16_t status = websocket->status;
        host->refused = websocket->refused;
        if (host->refused != PORTHOUSE_OK) status = close_status(host->refused);
        websocket->over = false;
        porthouse_closed(&host->client, machine_now(), status);
        drain(host);
    }
    websocket_close(websocket, host->status);
    host->refused = PORTHOUSE_OK;
    host->to_close = host->is_open = websocket->over = false;
    return true;
}

static void offer_lines(host_t *host)
{
    porthouse_view_t line;
    if (host->program->on_line == NULL) return;
    while (input_line(&host->input, &line)) {
        if (!host->program->on_line(host, &line)) return;
        input_taken(&host->input);
    }
    if (host->input.ended && !host->input_over)
        host->input_over = host->program->on_line(host, NULL);
}

static void tell_time(host_t *host)
{
    if (host->program->on_time == NULL || (int32_t)(host->due_ms - machine_now()) > 0) return;
    host->due_ms = machine_now() + host->program->interval_ms;
    host->program->on_time(host);
}

static void flush(host_t *host)
{
    porthouse_view_t packet;
    while (websocket_ready(&host->websocket) && porthouse_output(&host->client, &packet)) {
        websocket_send(&host->websocket, packet);
        porthouse_sent(&host->client);
    }
}

static void wait_for(host_t *host, uint32_t most_ms)
{
    bool has_lines = host->program->on_line != NULL && input_wants(&host->input);
    struct pollfd polled[2] = {
        {.fd = host->websocket.tcp.fd, .events = websocket_wants(&host->websocket)},
        {.fd = has_lines ? STDIN_FILENO : -1, .events = POLLIN},
    };
    uint32_t due_in = host->due_ms - machine_now();
    if (host->program->on_time != NULL && due_in < most_ms) most_ms = due_in;
    poll(polled, 2, most_ms < INT_MAX ? (int)most_ms : INT_MAX);
    if (polled[0].revents != 0) websocket_work(&host->websocket);
    if (polled[1].revents != 0 && !input_read(&host->input))
        host_check(host, PORTHOUSE_PAYLOAD_TOO_LARGE);
}

/* --- The program ---------------------------------------------------------------------------- */

static bool has_kind(const char *address)
{
    const char *colon = strchr(address, ':');
    return colon != NULL && strchr(address, '/') > colon;
}

bool host_init(host_t *host, const char *url, const char *address, const char *token)
{
    memset(host, 0, sizeof *host);
    setvbuf(stdout, NULL, _IOLBF, 0);
    host->websocket.tcp.fd = -1;
    host->websocket.listener = (websocket_listener_t){host, on_open, on_bytes};
    if (!porthouse_websocket_split(url, &host->url) || host->url.secure) {
        fprintf(stderr, "%s: no URL for this host, which has no TLS: ws://host:port\n",
                porthouse_code_name(PORTHOUSE_ADDRESS_INVALID));
        return false;
    }
    host->options = (porthouse_options_t){
        .transport = PORTHOUSE_WEBSOCKET,
        .out = {host->out, sizeof host->out},
        .in = {host->in, sizeof host->in},
        .random = machine_chance,
        .token = porthouse_view(token),
        .url_names_place = address == NULL,
    };
    if (address != NULL)
        snprintf(host->address_text, sizeof host->address_text, "%s%s",
                 has_kind(address) ? "" : "room:", address);
    host->address = porthouse_view(host->address_text);
    return true;
}

int host_run(host_t *host, const host_program_t *program)
{
    host->program = program;
    host->due_ms = machine_now();
    porthouse_init(&host->client, &host->options);
    if (host->address.length > 0) {
        porthouse_join_t join = {.address = host->address, .since = program->since};
        host_check(host, porthouse_join(&host->client, &join));
    }
    while (!host->over) {
        offer_lines(host);
        tell_time(host);
        uint32_t most_ms = porthouse_tick(&host->client, machine_now());
        drain(host);
        flush(host);
        if (!tidy(host)) wait_for(host, most_ms);
    }
    if (host->code != PORTHOUSE_OK) fprintf(stderr, "%s\n", porthouse_code_name(host->code));
    return host->code == PORTHOUSE_OK ? 0 : 1;
}

void host_check(host_t *host, porthouse_code_t code)
{
    if (code == PORTHOUSE_OK) return;
    if (host->code == PORTHOUSE_OK) host->code = code;
    porthouse_close(&host->client);
}
