/*
 * Enters a place by the dance of its locks, shows each step, and answers what is prompted for by
 * the words given: lock-dance ws://127.0.0.1:8080/acme/door anna secret mellon
 */
#include "host/host.h"

#define PROMPTS_MAX 8

static char **words;
static size_t words_left;

/* ` or ACCEPTOR` for each of Challenge.others, which the event's body has. */
static void print_others(porthouse_view_t lock_step)
{
    porthouse_field_t field, inner;
    while (porthouse_field(&lock_step, &field)) {
        if (field.number != porthouse_LockStep_challenge_tag) continue;
        while (porthouse_field(&field.bytes, &inner))
            if (inner.number == porthouse_Challenge_others_tag)
                printf(" or %.*s", VIEW(inner.bytes));
    }
}

/* Each word answers once; who has none left gives up. */
static void answer(host_t *host, porthouse_view_t lock, const porthouse_Challenge *asks)
{
    porthouse_Answer says = {.acceptor = asks->acceptor};
    porthouse_view_t values[PROMPTS_MAX];
    size_t count = asks->ask.prompts.prompts.count;
    if (porthouse_is(asks->acceptor, "knock")) {
        says.which_response = porthouse_Answer_text_tag;
        says.response.text = porthouse_view("it is me");
    } else if (asks->which_ask == porthouse_Challenge_prompts_tag && count <= PROMPTS_MAX &&
               count <= words_left) {
        for (size_t i = 0; i < count; i++) values[i] = porthouse_view(words[i]);
        words += count;
        words_left -= count;
        says.which_response = porthouse_Answer_responses_tag;
        says.response.responses.values = (porthouse_list_t){values, count};
    } else {
        host_check(host, PORTHOUSE_UNAUTHENTICATED);
        return;
    }
    host_check(host, porthouse_answer(&host->client, lock, &says));
}

static void on_event(host_t *host, const porthouse_event_t *event)
{
    const porthouse_Challenge *asks = &event->as.challenge.asks;
    switch (event->kind) {
    case PORTHOUSE_CHALLENGE:
        printf("%.*s of %.*s asks for %.*s", VIEW(event->as.challenge.lock), VIEW(asks->place),
               VIEW(asks->acceptor));
        print_others(event->body);
        printf("\n");
        if (!event->as.challenge.answered) answer(host, event->as.challenge.lock, asks);
        break;
    case PORTHOUSE_VERDICT:
        printf("%.*s %s\n", VIEW(event->as.verdict.lock),
               outcome_name(event->as.verdict.says.outcome));
        break;
    case PORTHOUSE_JOINED:
        printf("in %.*s\n", VIEW(event->as.joined.address));
        porthouse_close(&host->client);
        break;
    default: break;
    }
}

int main(int argc, char **argv)
{
    static const host_program_t DANCE = {.on_event = on_event};
    static host_t host;
    if (argc < 2) {
        fprintf(stderr, "usage: lock-dance URL [WORD...]\n");
        return 2;
    }
    words = argv + 2;
    words_left = (size_t)(argc - 2);
    if (!host_init(&host, argv[1], NULL, NULL)) return 2;
    host.options.answers_by_hand = true;
    return host_run(&host, &DANCE);
}
