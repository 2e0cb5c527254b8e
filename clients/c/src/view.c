/*
 * Views in nanopb's messages, as they are written; read.c reads them.
 */
#include "porthouse/view.h"

#include <pb_encode.h>

#include "porthouse/v1/envelope.pb.h"

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
    /* nanopb's decoder hands over memory of its own, to which no view may point. */
    if (in) return false;
    if (PB_HTYPE(field->type) == PB_HTYPE_REPEATED) {
        return write_list(out, field, (const porthouse_list_t *)field->pData);
    }
    const porthouse_view_t *view = (const porthouse_view_t *)field->pData;
    /* What is empty is absent, but for the one of several that was chosen. */
    if (view->length == 0 && PB_HTYPE(field->type) != PB_HTYPE_ONEOF) return true;
    return write_view(out, field, view);
}
