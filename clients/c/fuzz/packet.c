/*
 * Any bytes as a packet: it is taken apart, each body is read as every message that there is, and
 * what was read is written, which reads as the same again.
 */
#include <pb_encode.h>
#include <stdlib.h>
#include <string.h>

#include "porthouse.h"
#include "porthouse/v1/command.pb.h"
#include "porthouse/v1/event.pb.h"

/* Written as short as can be, a message is no longer than it was. */
enum { BYTES_MAX = 1 << 16 };

static const pb_msgdesc_t *const types[] = {
    &porthouse_Hello_msg,    &porthouse_Welcome_msg, &porthouse_LockStep_msg,
    &porthouse_Envelope_msg, &porthouse_Receipt_msg, &porthouse_Room_msg,
    &porthouse_Drop_msg,     &porthouse_Command_msg, &porthouse_Event_msg,
    &porthouse_Resume_msg,
};

/* Any of them, aligned for any. */
typedef union {
    porthouse_Frame frame;
    uint64_t number;
} message_t;

static size_t write(const pb_msgdesc_t *type, const message_t *message, uint8_t *bytes)
{
    pb_ostream_t out = pb_ostream_from_buffer(bytes, BYTES_MAX);
    if (!pb_encode(&out, type, message)) abort();
    return out.bytes_written;
}

static void try(const pb_msgdesc_t *type, porthouse_view_t bytes)
{
    static uint8_t once[BYTES_MAX];
    static uint8_t twice[BYTES_MAX];
    message_t message;
    memset(&message, 0, sizeof message);
    if (!porthouse_read(bytes, type, &message)) return;
    const porthouse_view_t written = {once, write(type, &message, once)};
    memset(&message, 0, sizeof message);
    if (!porthouse_read(written, type, &message)) abort();
    const size_t length = write(type, &message, twice);
    if (length != written.length || memcmp(once, twice, length) != 0) abort();
}

static void walk(porthouse_view_t bytes, int depth)
{
    porthouse_field_t field;
    while (porthouse_field(&bytes, &field)) {
        if (field.wire == 2 && depth > 0) walk(field.bytes, depth - 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    porthouse_view_t packet = {data, size};
    porthouse_frame_t frame;
    walk(packet, 6);
    while (porthouse_frame(&packet, &frame)) {
        for (size_t i = 0; i < sizeof types / sizeof *types; i++) try(types[i], frame.body);
    }
    return 0;
}
