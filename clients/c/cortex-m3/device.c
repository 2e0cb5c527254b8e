/*
 * A device that enters a guarded room, says that it is there, and ends when it is told to.
 * Its command line: the room's address, a token's secret, a preset response. On its line each
 * packet has two bytes before it, which say its length.
 */
#include <string.h>

#include "board.h"
#include "porthouse.h"

static porthouse_t client;
static uint8_t out[PORTHOUSE_OUT_BYTES];
static uint8_t in[PORTHOUSE_IN_BYTES];
static char line[256];
static porthouse_join_t room;

static porthouse_options_t options = {
    .out = {out, sizeof out},
    .in = {in, sizeof in},
    .agent = PORTHOUSE_TEXT("porthouse-c/cortex-m3"),
    .wait_for_challenge = true,
};

static void print(porthouse_view_t view)
{
    board_print((const char *)view.data, view.length);
}

static void say(const char *text)
{
    print(porthouse_view(text));
}

/* The next word of the command line. */
static porthouse_view_t next_word(char **rest)
{
    porthouse_view_t word = {(const uint8_t *)*rest, strcspn(*rest, " ")};
    *rest += word.length;
    *rest += strspn(*rest, " ");
    return word;
}

static void greet(void)
{
    porthouse_send_t message = {.to = room.address, .is_text = true, .receipt = PORTHOUSE_ROUTED};
    message.content = porthouse_view("a Cortex-M3 is here");
    if (porthouse_send(&client, &message, NULL) != PORTHOUSE_OK) board_exit(true);
}

static void handle(const porthouse_event_t *event)
{
    switch (event->kind) {
    case PORTHOUSE_CONNECT:
        porthouse_opened(&client, board_now());
        break;
    case PORTHOUSE_CHALLENGE:
        print(event->as.challenge.asks.acceptor);
        say(" asks at depth ");
        board_print(&"0123456789"[event->as.challenge.asks.depth % 10], 1);
        say("\n");
        break;
    case PORTHOUSE_VERDICT: {
        const bool passed = event->as.verdict.says.outcome == porthouse_Outcome_OUTCOME_PASSED;
        say(passed ? "a lock passed\n" : "a lock did not pass\n");
        break;
    }
    case PORTHOUSE_JOINED:
        say("in ");
        print(event->as.joined.address);
        say("\n");
        greet();
        break;
    case PORTHOUSE_RECEIPT:
        say(event->as.receipt.sockets > 0 ? "heard\n" : "not heard\n");
        break;
    case PORTHOUSE_MESSAGE:
        if (porthouse_is(event->as.message.content, "stop")) porthouse_close(&client);
        break;
    case PORTHOUSE_ENDED:
        say("ended by ");
        say(event->code == PORTHOUSE_OK ? "itself" : porthouse_code_name(event->code));
        say("\n");
        board_exit(event->code != PORTHOUSE_OK);
        break;
    default:
        break;
    }
}

static void send(void)
{
    porthouse_view_t packet;
    while (porthouse_output(&client, &packet)) {
        board_write((uint8_t)(packet.length >> 8));
        board_write((uint8_t)packet.length);
        for (size_t i = 0; i < packet.length; i++) board_write(packet.data[i]);
        porthouse_sent(&client);
    }
}

/* Every byte as it comes: there is no place for a packet but the client's own buffer. */
static void receive(void)
{
    static uint32_t head;
    static uint32_t left;
    static int head_bytes;
    uint8_t byte;
    if (!board_read(&byte)) return;
    if (head_bytes < 2) {
        head = (head << 8 | byte) & 0xffff;
        if (++head_bytes < 2) return;
        left = head;
        if (left > 0) return;
    } else {
        left--;
    }
    const bool last = left == 0;
    if (last) head_bytes = 0;
    (void)porthouse_received(&client, board_now(), &byte, head > 0 ? 1 : 0, last);
    porthouse_event_t event;
    while (porthouse_next(&client, &event)) handle(&event);
}

int main(void)
{
    porthouse_event_t event;
    char *rest = line;
    board_arguments(line, sizeof line);
    (void)next_word(&rest); /* The program's name. */
    room.address = next_word(&rest);
    options.token = next_word(&rest);
    options.preset = next_word(&rest);
    porthouse_init(&client, &options);
    if (porthouse_join(&client, &room) != PORTHOUSE_OK) return 1;
    for (;;) {
        (void)porthouse_tick(&client, board_now());
        while (porthouse_next(&client, &event)) handle(&event);
        send();
        receive();
    }
}
