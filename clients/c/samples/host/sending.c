#define _DEFAULT_SOURCE
#include "sending.h"

#include <unistd.h>

void sending_start(sending_t *sending, const porthouse_send_t *message)
{
    uint32_t random[4] = {0};
    if (getentropy(random, sizeof random) != 0) return;
    snprintf(sending->key, sizeof sending->key, "%08lx%08lx%08lx%08lx", (unsigned long)random[0],
             (unsigned long)random[1], (unsigned long)random[2], (unsigned long)random[3]);
    sending->message = *message;
    sending->message.idempotency_key = porthouse_view(sending->key);
    sending->due = true;
}

void sending_work(sending_t *sending, host_t *host)
{
    const porthouse_room_t *room = porthouse_room(&host->client, host->address);
    if (!sending->due || room == NULL || room->route == 0) return;
    porthouse_code_t code = porthouse_send(&host->client, &sending->message, &sending->id);
    /* Not now: it stays due. */
    if (code == PORTHOUSE_UNAVAILABLE || code == PORTHOUSE_QUEUE_FULL) return;
    sending->due = false;
    sending->asked = true;
    host_check(host, code);
}

bool sending_done(sending_t *sending, host_t *host, const porthouse_event_t *event)
{
    if (!sending->asked || event->kind != PORTHOUSE_RECEIPT || event->id != sending->id)
        return false;
    sending->asked = false;
    /* The connection ended first: as nobody knows, it is sent again, and counts once. */
    sending->due = event->as.receipt.status == porthouse_ReceiptStatus_RECEIPT_STATUS_UNSPECIFIED;
    if (sending->due) return false;
    host_check(host, event->code);
    return event->code == PORTHOUSE_OK;
}

bool sending_idle(const sending_t *sending)
{
    return !sending->due && !sending->asked;
}
