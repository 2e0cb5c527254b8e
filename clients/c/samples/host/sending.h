/* One message at a time, sent again under its key where the connection ends before its receipt. */
#ifndef SENDING_H
#define SENDING_H

#include "host.h"

typedef struct {
    porthouse_send_t message;
    char key[48];
    bool due;
    bool asked;
    uint32_t id;
} sending_t;

/* Takes a message, whose content stays as it is until it is done; then sending_work() sends it. */
void sending_start(sending_t *sending, const porthouse_send_t *message);

/* Sends what is due, as soon as that can be: call it with each event. */
void sending_work(sending_t *sending, host_t *host);

/* Whether this event is its receipt. A message that was rejected ends the program by its code. */
bool sending_done(sending_t *sending, host_t *host, const porthouse_event_t *event);

/* Whether another one may be started. */
bool sending_idle(const sending_t *sending);

#endif
