/*
 * Answers each line of standard input, a packet in hexadecimal, by two: what porthouse_read() makes
 * of it, and the packet that nanopb writes again; or by "error" twice. A test holds both against
 * conformance/frames.
 *
 * The first is JSON in which fields go by their numbers: numbers are texts, a double is its 64 bits
 * as a number, and texts and bytes are hexadecimal. Memory is taken and never given back.
 */
#include <pb_common.h>
#include <pb_encode.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "porthouse/frame.h"
#include "porthouse/v1/frame.pb.h"

enum { LINE_BYTES = 1 << 22, MESSAGE_BYTES = 2048 };

/* Gives a message of any kind, its fields absent. */
static void *new_message(void)
{
    void *message = calloc(1, MESSAGE_BYTES);
    if (!message) abort();
    return message;
}

static bool is_set(const pb_field_iter_t *field);
static bool read_message(const pb_msgdesc_t *desc, porthouse_view_t bytes, void *message);

/* The client counts elements, which are kept here: messages one by one, or views. */
static bool keep_element(const pb_field_iter_t *field, porthouse_view_t element)
{
    porthouse_list_t *list = (porthouse_list_t *)field->pData;
    const bool is_message = PB_LTYPE_IS_SUBMSG(field->type);
    size_t i = 0;
    if (!list->items) list->items = calloc(list->count, sizeof element);
    if (!list->items) abort();
    if (is_message) {
        void **messages = (void **)(uintptr_t)list->items;
        while (i < list->count && messages[i]) i++;
        if (i == list->count) return true;
        messages[i] = new_message();
        return read_message(field->submsg_desc, element, messages[i]);
    }
    porthouse_view_t *views = (porthouse_view_t *)(uintptr_t)list->items;
    while (i < list->count && views[i].data) i++;
    if (i < list->count) views[i] = element;
    return true;
}

/* Whether a later choice of the same oneof takes this one back. */
static bool is_void(const pb_field_iter_t *field, porthouse_view_t rest)
{
    porthouse_field_t later;
    while (PB_HTYPE(field->type) == PB_HTYPE_ONEOF && porthouse_field(&rest, &later)) {
        pb_field_iter_t other = *field;
        if (!pb_field_iter_find(&other, later.number)) continue;
        if (other.pSize == field->pSize && other.tag != field->tag) return true;
    }
    return false;
}

static bool keep_lists(const pb_msgdesc_t *desc, porthouse_view_t bytes, void *message)
{
    pb_field_iter_t into;
    porthouse_field_t field;
    if (!pb_field_iter_begin(&into, desc, message)) return true;
    while (porthouse_field(&bytes, &field)) {
        if (!pb_field_iter_find(&into, field.number) || is_void(&into, bytes)) continue;
        if (PB_HTYPE(into.type) == PB_HTYPE_REPEATED) {
            if (!keep_element(&into, field.bytes)) return false;
        } else if (PB_LTYPE_IS_SUBMSG(into.type) && is_set(&into)) {
            if (!keep_lists(into.submsg_desc, field.bytes, into.pData)) return false;
        }
    }
    return true;
}

static bool read_message(const pb_msgdesc_t *desc, porthouse_view_t bytes, void *message)
{
    return porthouse_read(bytes, desc, message) && keep_lists(desc, bytes, message);
}

/* The library's own callback, compiled under this name: of messages it writes headers alone. */
bool porthouse_library_field(pb_istream_t *in, pb_ostream_t *out, const pb_field_iter_t *field);

static bool write_messages(pb_ostream_t *out, const pb_field_iter_t *field)
{
    const porthouse_list_t *list = (const porthouse_list_t *)field->pData;
    for (size_t i = 0; i < list->count; i++) {
        const void *message = ((void *const *)list->items)[i];
        if (!pb_encode_tag_for_field(out, field)) return false;
        if (!pb_encode_submessage(out, field->submsg_desc, message)) return false;
    }
    return true;
}

bool porthouse_view_field(pb_istream_t *in, pb_ostream_t *out, const pb_field_iter_t *field)
{
    const bool is_list = PB_HTYPE(field->type) == PB_HTYPE_REPEATED;
    if (is_list && PB_LTYPE_IS_SUBMSG(field->type)) return write_messages(out, field);
    return porthouse_library_field(in, out, field);
}

static void show_message(const pb_msgdesc_t *desc, void *message);

static void show_hex(const uint8_t *data, size_t length)
{
    for (size_t i = 0; i < length; i++) printf("%02x", data[i]);
}

static void show_view(const porthouse_view_t *view)
{
    putchar('"');
    show_hex(view->data, view->length);
    putchar('"');
}

static void show_list(const pb_field_iter_t *field)
{
    const porthouse_list_t *list = (const porthouse_list_t *)field->pData;
    putchar('[');
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0) putchar(',');
        if (PB_LTYPE_IS_SUBMSG(field->type)) {
            show_message(field->submsg_desc, ((void *const *)list->items)[i]);
        } else {
            show_view((const porthouse_view_t *)list->items + i);
        }
    }
    putchar(']');
}

static uint64_t number(const pb_field_iter_t *field)
{
    uint32_t half;
    uint64_t whole;
    if (field->data_size == 1) return *(const uint8_t *)field->pData;
    if (field->data_size == sizeof half) return memcpy(&half, field->pData, sizeof half), half;
    return memcpy(&whole, field->pData, sizeof whole), whole;
}

/* Of what a oneof chose it is known, and of a message; the rest is there if it is not empty. */
static bool is_set(const pb_field_iter_t *field)
{
    const pb_size_t type = field->type;
    if (PB_HTYPE(type) == PB_HTYPE_ONEOF) return *(const pb_size_t *)field->pSize == field->tag;
    if (PB_HTYPE(type) == PB_HTYPE_REPEATED) return ((porthouse_list_t *)field->pData)->count > 0;
    if (PB_ATYPE(type) == PB_ATYPE_CALLBACK) return ((porthouse_view_t *)field->pData)->length > 0;
    if (PB_LTYPE_IS_SUBMSG(type)) return *(const bool *)field->pSize;
    return number(field) != 0;
}

static void show_field(const pb_field_iter_t *field)
{
    if (PB_HTYPE(field->type) == PB_HTYPE_REPEATED) {
        show_list(field);
    } else if (PB_ATYPE(field->type) == PB_ATYPE_CALLBACK) {
        show_view((const porthouse_view_t *)field->pData);
    } else if (PB_LTYPE_IS_SUBMSG(field->type)) {
        show_message(field->submsg_desc, field->pData);
    } else {
        printf("\"%" PRIu64 "\"", number(field));
    }
}

static void show_message(const pb_msgdesc_t *desc, void *message)
{
    pb_field_iter_t field;
    const char *comma = "";
    putchar('{');
    if (pb_field_iter_begin(&field, desc, message)) {
        do {
            if (!is_set(&field)) continue;
            printf("%s\"%u\":", comma, (unsigned)field.tag);
            show_field(&field);
            comma = ",";
        } while (pb_field_iter_next(&field));
    }
    putchar('}');
}

static void answer(porthouse_view_t packet)
{
    static uint8_t again[LINE_BYTES];
    porthouse_Packet message;
    memset(&message, 0, sizeof message);
    if (!read_message(&porthouse_Packet_msg, packet, &message)) {
        puts("error\nerror");
        return;
    }
    show_message(&porthouse_Packet_msg, &message);
    putchar('\n');
    pb_ostream_t out = pb_ostream_from_buffer(again, sizeof again);
    if (pb_encode(&out, &porthouse_Packet_msg, &message)) {
        show_hex(again, out.bytes_written);
        putchar('\n');
    } else {
        puts("error");
    }
}

static unsigned digit(char letter)
{
    return letter <= '9' ? (unsigned)(letter - '0') : (unsigned)(letter - 'a') + 10;
}

int main(void)
{
    static char line[LINE_BYTES];
    while (fgets(line, sizeof line, stdin)) {
        /* Of its own size, so that a step beyond its end is seen. */
        const size_t length = strcspn(line, "\n") / 2;
        uint8_t *bytes = malloc(length + !length);
        if (!bytes) abort();
        for (size_t i = 0; i < length; i++) {
            bytes[i] = (uint8_t)(digit(line[2 * i]) << 4 | digit(line[2 * i + 1]));
        }
        answer((porthouse_view_t){bytes, length});
        free(bytes);
    }
    return 0;
}
