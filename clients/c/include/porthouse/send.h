/*
 * What an application asks for. Members left 0 ask for nothing in particular.
 */
#ifndef PORTHOUSE_SEND_H
#define PORTHOUSE_SEND_H

#include "porthouse/v1/envelope.pb.h"
#include "porthouse/v1/receipt.pb.h"
#include "porthouse/view.h"

/* How far a message must have come before its receipt is sent. */
typedef enum {
    PORTHOUSE_NONE = porthouse_ReceiptLevel_RECEIPT_LEVEL_UNSPECIFIED,
    PORTHOUSE_ACCEPTED = porthouse_ReceiptLevel_RECEIPT_LEVEL_ACCEPTED,
    PORTHOUSE_ROUTED = porthouse_ReceiptLevel_RECEIPT_LEVEL_ROUTED,
    PORTHOUSE_STORED = porthouse_ReceiptLevel_RECEIPT_LEVEL_STORED
} porthouse_level_t;

/* A message to send. */
typedef struct {
    /*
     * Where to: an address. One that was joined by just this address goes by its number. Or
     * `route`, as Joined has it. Neither: the place that was entered first [PH-6.7].
     */
    porthouse_view_t to;
    uint32_t route;
    /* Of the room that was joined by `to`, or of `route`. */
    porthouse_view_t channel;

    porthouse_view_t content;
    /* `content` is text, in UTF-8. */
    bool is_text;
    porthouse_view_t content_type;
    porthouse_view_t reply_to;
    porthouse_view_t correlation_id;
    /* Seconds after which it is worth nothing; 0: never. */
    uint32_t expires_after;
    const porthouse_Envelope_HeadersEntry *headers;
    size_t header_count;

    porthouse_level_t receipt;
    /* Under one key a message is sent once, however often it is tried. */
    porthouse_view_t idempotency_key;
    /* Which of the clients and tokens that it is sends it; empty: the first that may. */
    porthouse_view_t acting;
    /* Keep it as the last value of its channel. */
    bool retain;
} porthouse_send_t;

/* What of a room's history comes before what is live. */
typedef enum {
    PORTHOUSE_LIVE,
    /* All after epoch and sequence; of 0 and 0: all that there is. */
    PORTHOUSE_AFTER,
    /* All that the client has not read. */
    PORTHOUSE_UNREAD,
    /* The last `sequence` messages. */
    PORTHOUSE_LAST
} porthouse_since_t;

typedef struct {
    /* room:…, also with a channel or filter, group:…, lobby:… or the client's own client:…. */
    porthouse_view_t address;
    bool send_only;
    porthouse_since_t since;
    uint64_t epoch;
    uint64_t sequence;
    /* What it sends is replayed to newcomers while it is there. */
    bool replayed;
    /* Members are told, as PORTHOUSE_FRAME. */
    bool presence;
} porthouse_join_t;

#endif
