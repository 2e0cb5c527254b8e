/*
 * Views in nanopb's messages: decoding points into the bytes, encoding copies out of them.
 */
#include "porthouse/view.h"

#include <pb_decode.h>
#include <pb_encode.h>

#include "porthouse/v1/envelope.pb.h"

static bool read_in_place(pb_istream_t *in, pb_byte_t *to, size_t count)
{
    const pb_byte_t *from = (const pb_byte_t *)in->state;
    in->state = (pb_byte_t *)in->state + count;
    if (to) memcpy(to, from, count);
    return true;
}

pb_istream_t porthouse_view_stream(porthouse_view_t bytes)
{
    pb_istream_t in = pb_istream_from_buffer(bytes.data, bytes.length);
    in.callback = read_in_place;
    return in;
}

static bool read_field(pb_istream_t *in, const pb_field_iter_t *field)
{
    /* A text that comes as a number is handed over in nanopb's own memory, which is gone soon. */
    if (in->callback != read_in_place) PB_RETURN_ERROR(in, "wrong wire type");
    if (PB_HTYPE(field->type) == PB_HTYPE_REPEATED) {
        ((porthouse_list_t *)field->pData)->count++;
    } else {
        porthouse_view_t *view = (porthouse_view_t *)field->pData;
        /* The position of the stream is its state. */
        view->data = (const uint8_t *)in->state;
        view->length = in->bytes_left;
        if (PB_HTYPE(field->type) == PB_HTYPE_ONEOF) *(pb_size_t *)field->pSize = field->tag;
    }
    return pb_read(in, NULL, in->bytes_left);
}

static bool write_view(pb_ostream_t *out, const pb_field_iter_t *field,
                       const porthouse_view_t *view)
{
    return pb_encode_tag_for_field(out, field) &&
           pb_encode_string(out, view->data, view->length);
}

/* Header entries are the only messages of which a client sends several in a field. */
static bool write_list(pb_ostream_t *out, const pb_field_iter_t *field,
                       const porthouse_list_t *list)
{
    const bool is_message = PB_LTYPE_IS_SUBMSG(field->type);
    const porthouse_view_t *views = (const porthouse_view_t *)list->items;
    const porthouse_Envelope_HeadersEntry *entries =
        (const porthouse_Envelope_HeadersEntry *)list->items;
    /* One that was read has no items: it was counted. */
    for (size_t i = 0; list->items && i < list->count; i++) {
        if (!is_message) {
            if (!write_view(out, field, &views[i])) return false;
        } else if (!pb_encode_tag_for_field(out, field) ||
                   !pb_encode_submessage(out, &porthouse_Envelope_HeadersEntry_msg, &entries[i])) {
            return false;
        }
    }
    return true;
}

bool porthouse_view_field(pb_istream_t *in, pb_ostream_t *out, const pb_field_iter_t *field)
{
    if (in) return read_field(in, field);
    if (PB_HTYPE(field->type) == PB_HTYPE_REPEATED) {
        return write_list(out, field, (const porthouse_list_t *)field->pData);
    }
    const porthouse_view_t *view = (const porthouse_view_t *)field->pData;
    /* What is empty is absent, but for the one of several that was chosen. */
    if (view->length == 0 && PB_HTYPE(field->type) != PB_HTYPE_ONEOF) return true;
    return write_view(out, field, view);
}
