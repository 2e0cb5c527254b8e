/* The client and its connection, from the first action of a case to the last. */
#define _DEFAULT_SOURCE
#include "play.h"

#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { WITHIN_MS = 5000 };

uint32_t play_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint32_t)time.tv_sec * 1000 + (uint32_t)(time.tv_nsec / 1000000);
}

static uint32_t chance(void *context)
{
    uint32_t bits = 0;
    (void)context;
    return getentropy(&bits, sizeof bits) == 0 ? bits : play_now();
}

/* --- The connection ------------------------------------------------------------------------- */

static void drain(play_t *play)
{
    porthouse_event_t event;
    while (play->begun && !play->over && !play->to_close && porthouse_next(&play->client, &event))
        play_event(play, &event);
}

static void on_open(void *of)
{
    play_t *play = of;
    porthouse_opened(&play->client, play_now());
    if (play->password.length == 0 || play->has_path) return;
    /* In the main lobby it is said unasked. */
    porthouse_view_t values[2] = {play->who, play->password};
    porthouse_Answer answer = {.acceptor = PORTHOUSE_TEXT("password"),
                               .which_response = porthouse_Answer_responses_tag};
    answer.response.responses.values = (porthouse_list_t){values, 2};
    porthouse_answer(&play->client, porthouse_view(NULL), &answer);
}

void play_bytes(void *of, const uint8_t *bytes, size_t length, bool last)
{
    play_t *play = of;
    if (play->over || play->to_close) return;
    porthouse_received(&play->client, play_now(), bytes, length, last);
    drain(play);
}

void play_over(play_t *play, porthouse_code_t code)
{
    if (play->over) return;
    play->over = play->to_close = true;
    play->ended_by = code;
    if (play->connected) happen_by(play, "closed", code);
    for (size_t i = 0; i < play->act_count; i++) {
        act_t *act = &play->acts[i];
        if (act->kind == DOES_CLOSE) act_done(act);
        else if (act->kind != DOES_EVENT && !act->over && act->asks.data != NULL)
            act_fail(act, code, play->retry_after_ms);
    }
}

/* In the gateway's own numbers. */
static uint16_t close_status(porthouse_code_t code)
{
    if (code == PORTHOUSE_OK) return WSLAY_CODE_NORMAL_CLOSURE;
    return (uint16_t)((porthouse_code_temporary(code) ? 4000 : 4500) + code);
}

static bool is_cut(const play_t *play)
{
    return play->is_mqtt ? play->mqtt.over : play->websocket.over;
}

static void hang_up(play_t *play, uint16_t status)
{
    if (play->is_mqtt) mqtt_close(&play->mqtt);
    else websocket_close(&play->websocket, status);
    play->mqtt.over = play->websocket.over = false;
}

static void tidy(play_t *play)
{
    if (is_cut(play) && !play->to_close) {
        uint16_t status = play->is_mqtt ? 0 : play->websocket.status;
        play->refused = play->is_mqtt ? play->mqtt.refused : play->websocket.refused;
        if (play->refused != PORTHOUSE_OK) status = close_status(play->refused);
        play->mqtt.over = play->websocket.over = false;
        porthouse_closed(&play->client, play_now(), status);
        drain(play);
    }
    if (!play->to_close) return;
    hang_up(play, close_status(play->over ? play->ended_by : PORTHOUSE_OK));
    play->refused = PORTHOUSE_OK;
    play->to_close = false;
}

void play_flush(play_t *play)
{
    porthouse_view_t packet;
    if (play->is_mqtt) return mqtt_flush(play);
    while (!play->over && websocket_ready(&play->websocket) &&
           porthouse_output(&play->client, &packet)) {
        websocket_send(&play->websocket, packet);
        porthouse_sent(&play->client);
    }
}

static void turn(play_t *play, uint32_t most_ms)
{
    if (play->begun && !play->over) {
        uint32_t tick_ms = porthouse_tick(&play->client, play_now());
        if (tick_ms < most_ms) most_ms = tick_ms;
    }
    drain(play);
    for (size_t i = 0; i < play->act_count; i++) act_work(play, &play->acts[i]);
    play_flush(play);
    if (play->to_close || is_cut(play)) return tidy(play);
    for (size_t i = 0; i < play->act_count; i++)
        if (play->acts[i].over || (play->acts[i].due && !play->coming_back)) most_ms = 0;
    if (play->is_mqtt) return mqtt_work(&play->mqtt, most_ms);
    struct pollfd polled = {.fd = play->websocket.tcp.fd,
                            .events = websocket_wants(&play->websocket)};
    poll(&polled, 1, (int)most_ms);
    if (polled.revents != 0) websocket_work(&play->websocket);
}

/* --- The actions ---------------------------------------------------------------------------- */

static void read_action(porthouse_view_t asks, act_t *act)
{
    porthouse_field_t field;
    memset(act, 0, sizeof *act);
    act->due_ms = WITHIN_MS;
    while (porthouse_field(&asks, &field)) {
        if (field.number == DOES_WITHIN_MS) {
            act->due_ms = (uint32_t)field.value;
        } else {
            act->kind = field.number;
            act->asks = field.bytes;
        }
    }
    act->due_ms += play_now();
}

/* The actions of a list, whose field in its message is that. */
static void read_actions(play_t *play, porthouse_view_t list, uint32_t number)
{
    porthouse_field_t field;
    while (porthouse_field(&list, &field)) {
        if (field.number != number) continue;
        play->acts = realloc(play->acts, (play->act_count + 1) * sizeof *play->acts);
        if (play->acts == NULL) abort();
        read_action(field.bytes, &play->acts[play->act_count++]);
    }
}

static bool is_waiting(play_t *play)
{
    bool waits = false;
    for (size_t i = 0; i < play->act_count; i++) {
        act_t *act = &play->acts[i];
        bool is_late = (int32_t)(play_now() - act->due_ms) >= 0;
        if (!act->over && is_late) {
            act->over = true;
            put_number(&act->outcome, TOLD_TIMED_OUT, 1);
        }
        waits = waits || !act->over;
    }
    return waits;
}

/* Does them at once, until all are over. */
static void run_actions(play_t *play)
{
    for (size_t i = 0; i < play->act_count; i++) {
        act_begin(play, &play->acts[i]);
        act_work(play, &play->acts[i]);
    }
    while (is_waiting(play)) {
        uint32_t most_ms = WITHIN_MS;
        for (size_t i = 0; i < play->act_count; i++) {
            uint32_t left_ms = play->acts[i].due_ms - play_now();
            if (!play->acts[i].over && left_ms < most_ms) most_ms = left_ms;
        }
        turn(play, most_ms);
    }
}

static void tell_actions(play_t *play, bytes_t *outcomes)
{
    for (size_t i = 0; i < play->act_count; i++) {
        put_present(outcomes, 1, bytes_view(&play->acts[i].outcome));
        bytes_free(&play->acts[i].outcome);
        bytes_free(&play->acts[i].page);
    }
    play->act_count = 0;
}

static void run_action(play_t *play, porthouse_view_t action, bytes_t *response)
{
    act_t act;
    bytes_t outcomes = {0}, outcome = {0};
    read_action(action, &act);
    if (act.kind != DOES_TOGETHER) {
        play->acts = realloc(play->acts, sizeof *play->acts);
        if (play->acts == NULL) abort();
        play->acts[play->act_count++] = act;
        run_actions(play);
        return tell_actions(play, response);
    }
    read_actions(play, act.asks, 1);
    run_actions(play);
    tell_actions(play, &outcomes);
    put_present(&outcome, TOLD_TOGETHER, bytes_view(&outcomes));
    put_present(response, 1, bytes_view(&outcome));
    bytes_free(&outcomes);
    bytes_free(&outcome);
}

/* --- The case ------------------------------------------------------------------------------- */

static void end_case(play_t *play)
{
    if (play->begun && !play->over) {
        porthouse_close(&play->client);
        turn(play, 0);
    }
    tidy(play);
    hang_up(play, WSLAY_CODE_NORMAL_CLOSURE);
    for (size_t i = 0; i < play->message_count; i++) bytes_free(&play->messages[i].envelope);
    for (size_t i = 0; i < play->happening_count; i++) bytes_free(&play->happenings[i].outcome);
    free(play->messages);
    free(play->happenings);
    free(play->acts);
}

void play_case(porthouse_view_t request, bytes_t *response)
{
    static play_t play;
    porthouse_view_t rest = request;
    porthouse_field_t field;
    memset(&play, 0, sizeof play);
    play.websocket.tcp.fd = -1;
    play.websocket.listener = (websocket_listener_t){&play, on_open, play_bytes};
    play.options.out = (porthouse_buffer_t){play.out, sizeof play.out};
    play.options.in = (porthouse_buffer_t){play.in, sizeof play.in};
    play.options.random = chance;
    while (porthouse_field(&rest, &field)) {
        if (field.number == 2 && field.bytes.length < sizeof play.url_text)
            memcpy(play.url_text, field.bytes.data, field.bytes.length);
        if (field.number == 3) play.is_mqtt = field.value == MQTT3;
    }
    if (play.is_mqtt) play.options.transport = PORTHOUSE_MQTT;
    rest = request;
    while (porthouse_field(&rest, &field))
        if (field.number == 4) run_action(&play, field.bytes, response);
    end_case(&play);
}
