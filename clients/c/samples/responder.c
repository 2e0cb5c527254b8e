/*
 * Answers who asks: /ping, /echo TEXT, and /stop, which ends it.
 * responder ws://127.0.0.1:8080 demo/hello TOKEN
 */
#include <stdlib.h>
#include <string.h>

#include "host/host.h"

/* An answer whose receipt is to come. */
typedef struct {
    uint32_t id;
    /* What is printed then: `FROM: ANSWER`; NULL: this one is free. */
    char *words;
    bool last;
} answer_t;

static bool is_in;
static answer_t answers[PORTHOUSE_IN_FLIGHT];

/* What to say to that; empty: nothing. */
static porthouse_view_t answer_to(porthouse_view_t asked)
{
    static const char ECHO[] = "/echo ";
    const size_t length = sizeof ECHO - 1;
    if (porthouse_is(asked, "/ping")) return porthouse_view("pong");
    if (porthouse_is(asked, "/stop")) return porthouse_view("bye");
    if (asked.length <= length || memcmp(asked.data, ECHO, length) != 0) return porthouse_view("");
    asked.data += length;
    asked.length -= length;
    return asked;
}

static void answer(host_t *host, const porthouse_message_t *asked)
{
    porthouse_view_t words = answer_to(asked->content);
    if (!asked->is_text || words.length == 0) return;
    porthouse_send_t message = {
        .to = asked->reply_to.length > 0 ? asked->reply_to : asked->from,
        .content = words,
        .is_text = true,
        .correlation_id = asked->correlation_id,
        .receipt = PORTHOUSE_ROUTED,
    };
    /* There is one free for each that may be in flight. */
    answer_t *free = answers;
    while (free < answers + PORTHOUSE_IN_FLIGHT - 1 && free->words != NULL) free++;
    porthouse_code_t code = porthouse_send(&host->client, &message, &free->id);
    size_t size = asked->from.length + words.length + 3;
    if (code == PORTHOUSE_OK && (free->words = malloc(size)) != NULL) {
        snprintf(free->words, size, "%.*s: %.*s", VIEW(asked->from), VIEW(words));
        free->last = porthouse_is(asked->content, "/stop");
    } else {
        fprintf(stderr, "not answered %.*s: %s\n", VIEW(asked->from), porthouse_code_name(code));
    }
}

static void receive(host_t *host, const porthouse_event_t *event)
{
    for (answer_t *at = answers; at < answers + PORTHOUSE_IN_FLIGHT; at++) {
        if (at->words == NULL || at->id != event->id) continue;
        if (event->code == PORTHOUSE_OK) printf("answered %s\n", at->words);
        else fprintf(stderr, "not answered %s: %s\n", at->words, porthouse_code_name(event->code));
        free(at->words);
        at->words = NULL;
        if (at->last) porthouse_close(&host->client);
    }
}

static void on_event(host_t *host, const porthouse_event_t *event)
{
    if (event->kind == PORTHOUSE_JOINED && !is_in) {
        is_in = true;
        printf("in %.*s\n", VIEW(event->as.joined.address));
    }
    if (event->kind == PORTHOUSE_MESSAGE) answer(host, &event->as.message);
    if (event->kind == PORTHOUSE_RECEIPT) receive(host, event);
}

int main(int argc, char **argv)
{
    static const host_program_t RESPONDER = {.on_event = on_event};
    static host_t host;
    if (argc != 4) {
        fprintf(stderr, "usage: responder URL ADDRESS TOKEN\n");
        return 2;
    }
    return host_init(&host, argv[1], argv[2], argv[3]) ? host_run(&host, &RESPONDER) : 2;
}
