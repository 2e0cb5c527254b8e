/*
 * Any bytes as what a gateway, a transport and an application do. Each step is a byte that says
 * what happens, and what that takes of the rest; whatever the client gives back is looked at, so
 * that a view of memory that is not there is found.
 */
#include <stdlib.h>
#include <string.h>

#include "porthouse.h"

typedef struct {
    const uint8_t *data;
    size_t length;
} script_t;

static uint8_t next_byte(script_t *script)
{
    if (script->length == 0) return 0;
    script->length--;
    return *script->data++;
}

static uint32_t any(void *context)
{
    (void)context;
    return 0x12345678;
}

static bool sign(void *context, const uint8_t *message, size_t length, uint8_t signature[64])
{
    (void)context;
    memset(signature, message[length - 1], 64);
    return true;
}

static void look(porthouse_view_t view)
{
    static volatile uint8_t sum;
    for (size_t i = 0; i < view.length; i++) sum = (uint8_t)(sum + view.data[i]);
}

static void look_at(const porthouse_event_t *event)
{
    look(event->body);
    switch (event->kind) {
    case PORTHOUSE_WELCOME:
        look(event->as.welcome.socket);
        break;
    case PORTHOUSE_CHALLENGE:
        look(event->as.challenge.lock);
        look(event->as.challenge.asks.acceptor);
        look(event->as.challenge.asks.place);
        break;
    case PORTHOUSE_VERDICT:
        look(event->as.verdict.lock);
        break;
    case PORTHOUSE_JOINED:
        look(event->as.joined.address);
        break;
    case PORTHOUSE_LEFT:
        look(event->as.left.address);
        look(event->as.left.detail);
        break;
    case PORTHOUSE_MESSAGE:
        if (event->as.message.id.length != 16) abort();
        look(event->as.message.id);
        look(event->as.message.from);
        look(event->as.message.target);
        look(event->as.message.channel);
        look(event->as.message.content);
        look(event->as.message.content_type);
        look(event->as.message.reply_to);
        look(event->as.message.correlation_id);
        break;
    case PORTHOUSE_RECEIPT:
        look(event->as.receipt.id);
        look(event->as.receipt.detail);
        break;
    case PORTHOUSE_REFUSED:
    case PORTHOUSE_DROP:
        look(event->as.drop.address);
        look(event->as.drop.detail);
        break;
    default:
        break;
    }
}

/* No packet of n bytes has more frames than half of them, and each has one event at most. */
static void drain(porthouse_t *client, size_t length)
{
    porthouse_event_t event;
    size_t events = length / 2 + PORTHOUSE_IN_FLIGHT + 4;
    while (porthouse_next(client, &event)) {
        if (events-- == 0) abort();
        look_at(&event);
    }
}

/* A copy of its own size, so that a step beyond its end is seen. */
static void receive(porthouse_t *client, script_t *script, uint32_t now_ms, bool last)
{
    size_t length = next_byte(script);
    if (length > script->length) length = script->length;
    uint8_t *const bytes = (uint8_t *)malloc(length + 1);
    if (!bytes) abort();
    memcpy(bytes, script->data, length);
    script->data += length;
    script->length -= length;
    (void)porthouse_received(client, now_ms, bytes, length, last);
    drain(client, length);
    free(bytes);
}

static void send(porthouse_t *client)
{
    porthouse_view_t packet;
    for (int i = 0; i < 3 && porthouse_output(client, &packet); i++) {
        look(packet);
        porthouse_sent(client);
    }
}

static void ask(porthouse_t *client, uint8_t what)
{
    static const uint8_t content[300];
    static const porthouse_view_t addresses[] = {
        PORTHOUSE_TEXT("room:acme/boiler"), PORTHOUSE_TEXT("room:acme/boiler/temp"),
        PORTHOUSE_TEXT("client:acme/pump"), PORTHOUSE_TEXT("group:acme/boiler/all"),
        PORTHOUSE_TEXT("lobby:acme"),
    };
    const porthouse_view_t address = addresses[what % 5];
    const porthouse_send_t message = {
        .to = address, .content = {content, what}, .receipt = (porthouse_level_t)(what % 4)};
    const porthouse_join_t join = {.address = address, .since = (porthouse_since_t)(what % 4)};
    switch (what / 5 % 4) {
    case 0:
        (void)porthouse_join(client, &join);
        break;
    case 1:
        (void)porthouse_leave(client, address);
        break;
    case 2:
        (void)porthouse_send(client, &message, NULL);
        break;
    default:
        (void)porthouse_closed(client, client->now_ms, (uint16_t)(what * 20));
        break;
    }
}

static void welcome(porthouse_t *client, uint32_t now_ms)
{
    static const uint8_t bytes[] = {0x0a, 0x06, 0x08, 0x01, 0x1a, 0x02, 0x28, 0x64};
    porthouse_opened(client, now_ms);
    send(client);
    (void)porthouse_received(client, now_ms, bytes, sizeof bytes, true);
    drain(client, sizeof bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t out[PORTHOUSE_OUT_BYTES];
    static uint8_t in[64];
    script_t script = {data, size};
    const uint8_t how = next_byte(&script);
    const porthouse_options_t options = {
        .transport = how & 1 ? PORTHOUSE_MQTT : PORTHOUSE_WEBSOCKET,
        .out = {out, how & 2 ? 100 : sizeof out},
        .in = {in, how & 4 ? 0 : sizeof in},
        .random = any,
        .sign = sign,
        .token = PORTHOUSE_TEXT("pht_secret"),
        .preset = PORTHOUSE_TEXT("friend"),
        .client = PORTHOUSE_TEXT("client:acme/pump"),
        .gateway = PORTHOUSE_TEXT("https://hub.example"),
        .wait_for_challenge = (how & 8) != 0,
        .answers_by_hand = (how & 16) != 0,
    };
    porthouse_t client;
    uint32_t now_ms = UINT32_MAX - 1000;
    porthouse_init(&client, &options);
    while (script.length > 0) {
        const uint8_t step = next_byte(&script);
        switch (step % 8) {
        case 0:
        case 1:
        case 2:
            receive(&client, &script, now_ms, true);
            break;
        case 3:
            receive(&client, &script, now_ms, false);
            break;
        case 4:
            send(&client);
            break;
        case 5:
            now_ms += (uint32_t)next_byte(&script) * 100;
            (void)porthouse_tick(&client, now_ms);
            drain(&client, 0);
            break;
        case 6:
            welcome(&client, now_ms);
            break;
        default:
            ask(&client, next_byte(&script));
            drain(&client, 0);
            break;
        }
    }
    return 0;
}
