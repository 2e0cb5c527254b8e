/* One case: its actions in order, each by the call of the client that a program would make. */
#ifndef PLAY_H
#define PLAY_H

#include <porthouse.h>

#include "bytes.h"
#include "mqtt.h"
#include "websocket.h"

enum { PLACES_MAX = 16, HEADERS_MAX = 64, WORDS_MAX = 16 };

/* Transports by their number in Transport. */
enum { WEBSOCKET = 1, MQTT3 = 3 };

/* Actions by their number in Action. */
enum {
    DOES_CONNECT = 1,
    DOES_JOIN = 2,
    DOES_SEND = 3,
    DOES_HEAR = 4,
    DOES_EVENT = 5,
    DOES_FETCH = 6,
    DOES_READ = 7,
    DOES_LEAVE = 8,
    DOES_CLOSE = 9,
    DOES_TOGETHER = 10,
    DOES_MEMBERS = 11,
    DOES_WITHIN_MS = 15
};

/* Results by their number in Outcome. */
enum {
    TOLD_DONE = 1,
    TOLD_JOINED = 2,
    TOLD_RECEIPT = 3,
    TOLD_HEARD = 4,
    TOLD_FAILURE = 5,
    TOLD_HAPPENED = 6,
    TOLD_TIMED_OUT = 7,
    TOLD_TOGETHER = 8,
    TOLD_MEMBERS = 9
};

/* An action that was begun. */
typedef struct act {
    uint32_t kind;
    porthouse_view_t asks;
    uint32_t due_ms;
    bool over;
    /* What it came to, an Outcome. */
    bytes_t outcome;
    /* Of the request that waits for its answer; `due`: it is still to be sent. */
    uint32_t id;
    bool due;
    porthouse_view_t name;
    uint32_t count;
    uint64_t after_sequence;
    /* The address that a request is about, with its kind. */
    char address[600];
    /* Of pages that come: what is there, and the last address. */
    bytes_t page;
    char after[600];
} act_t;

/* A room that was joined, or that the URL named. */
typedef struct {
    char address[600];
    uint32_t route;
    uint64_t epoch, sequence;
    bool is_back, recovered;
    /* On MQTT: packet id of its SUBSCRIBE. */
    uint32_t asked;
    /* Messages that came, and how many of them were told. */
    uint32_t heard, told;
} place_t;

typedef struct {
    bytes_t envelope;
    /* Bits of the places that heard it. */
    uint32_t places;
} message_t;

/* Something that happened, an Outcome, until somebody asks for it. */
typedef struct {
    char name[16];
    bytes_t outcome;
    bool told;
} happening_t;

struct play {
    porthouse_t client;
    porthouse_options_t options;
    websocket_t websocket;
    porthouse_websocket_url_t url;
    /* It speaks MQTT, and then that is its connection. */
    bool is_mqtt;
    mqtt_t mqtt;
    char url_text[600];

    bool begun, is_open, to_close, over;
    /* Why a connection ends that the core only knows to be over, and for how long to wait. */
    porthouse_code_t refused, ended_by;
    uint32_t retry_after_ms;
    bool connected, has_path, reconnects, coming_back;
    uint32_t proofs_left;

    porthouse_view_t words[WORDS_MAX];
    size_t words_length, words_taken;
    porthouse_view_t who, password;

    act_t *acts;
    size_t act_count;
    /* Of joins: the core has no copy. */
    char addresses[PLACES_MAX][600];
    size_t address_count;
    place_t places[PLACES_MAX];
    size_t place_count;
    message_t *messages;
    size_t message_count;
    uint32_t told;
    happening_t *happenings;
    size_t happening_count;

    uint8_t out[80 * 1024];
    uint8_t in[1024 * 1024];
};

/* play.c: bytes of a packet have come, `last` with those that end it. */
void play_bytes(void *of, const uint8_t *bytes, size_t length, bool last);
/* play.c: plays a ClientRequest, and writes the ClientResponse. */
void play_case(porthouse_view_t request, bytes_t *response);
uint32_t play_now(void);
/* play.c: writes what waits, where that can be now. */
void play_flush(play_t *play);
/* play.c: the client is over for good, by that code. */
void play_over(play_t *play, porthouse_code_t code);

/* acts.c: begins an action; and tries again what could not be sent. */
void act_begin(play_t *play, act_t *act);
void act_work(play_t *play, act_t *act);
/* acts.c: the ends of an action. */
void act_end(act_t *act, uint32_t result, porthouse_view_t message);
void act_done(act_t *act);
void act_fail(act_t *act, porthouse_code_t code, uint32_t retry_after_ms);
/* acts.c: the action whose request has that id; NULL: none. */
act_t *act_of(play_t *play, uint32_t kind, uint32_t id);

/* events.c */
void check_connected(play_t *play, bool is_in);
void check_back(play_t *play);
void play_event(play_t *play, const porthouse_event_t *event);
void happen(play_t *play, const char *name, const bytes_t *fields);
void happen_by(play_t *play, const char *name, porthouse_code_t code);

/* places.c: an address with its kind; and the place of it, NULL: it is not in. */
void full_address(porthouse_view_t given, char *address, size_t size);
place_t *place_of(play_t *play, const char *address);
place_t *place_enter(play_t *play, const char *address, const porthouse_Joined *joined);
void place_leave(play_t *play, const char *address);
void place_hear(play_t *play, const porthouse_event_t *event);
/* places.c: an Envelope as the application got it. */
void put_message(bytes_t *bytes, const porthouse_event_t *event, const place_t *place);

/* A number of Failure and of Happened, where a code that the table does not have is no number. */
void put_code(bytes_t *bytes, uint32_t field, uint32_t own_field, porthouse_code_t code);

#endif
