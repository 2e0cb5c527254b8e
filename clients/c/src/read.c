/*
 * Bytes into the generated structs, by nanopb's own descriptors. nanopb's decoder would do as well
 * (porthouse_view_field serves both); this one only knows views and numbers, and is 2 KB smaller.
 */
#include <pb_common.h>

#include "client.h"

static bool read_number(const porthouse_field_t *field, const pb_field_iter_t *into)
{
    const uint64_t value = field->value;
    if (PB_LTYPE(into->type) == PB_LTYPE_BOOL) {
        *(bool *)into->pData = value != 0;
    } else if (into->data_size == sizeof(uint64_t)) {
        *(uint64_t *)into->pData = value;
    } else if (value <= UINT32_MAX) {
        *(uint32_t *)into->pData = (uint32_t)value;
    } else {
        return false;
    }
    return true;
}

static void read_view(const porthouse_field_t *field, const pb_field_iter_t *into)
{
    if (PB_HTYPE(into->type) == PB_HTYPE_REPEATED) {
        ((porthouse_list_t *)into->pData)->count++;
    } else {
        *(porthouse_view_t *)into->pData = field->bytes;
    }
}

/* Of the schema's types, only the rates of Stats are neither numbers nor lengths: not read here. */
static bool read_field(const porthouse_field_t *field, const pb_field_iter_t *into)
{
    const bool is_number = PB_LTYPE(into->type) <= PB_LTYPE_UVARINT;
    if (field->wire != (is_number ? PB_WT_VARINT : PB_WT_STRING)) return false;
    if (PB_HTYPE(into->type) == PB_HTYPE_ONEOF) {
        pb_size_t *const which = (pb_size_t *)into->pSize;
        if (*which != into->tag) memset(into->pData, 0, into->data_size);
        *which = into->tag;
    } else if (into->pSize && PB_HTYPE(into->type) == PB_HTYPE_OPTIONAL) {
        *(bool *)into->pSize = true;
    }
    if (is_number) return read_number(field, into);
    if (PB_ATYPE(into->type) == PB_ATYPE_STATIC) {
        return porthouse_read(field->bytes, into->submsg_desc, into->pData);
    }
    read_view(field, into);
    return true;
}

bool porthouse_read(porthouse_view_t bytes, const pb_msgdesc_t *type, void *message)
{
    porthouse_field_t field;
    pb_field_iter_t into;
    const bool has_fields = pb_field_iter_begin(&into, type, message);
    while (porthouse_field(&bytes, &field)) {
        if (!has_fields || !pb_field_iter_find(&into, field.number)) continue;
        if (!read_field(&field, &into)) return false;
    }
    return bytes.length == 0;
}

bool porthouse_action(porthouse_t *client, porthouse_view_t body, uint32_t least,
                      porthouse_field_t *action)
{
    porthouse_field_t field;
    memset(action, 0, sizeof *action);
    while (porthouse_field(&body, &field)) {
        if (field.wire == PB_WT_STRING && field.number >= least) *action = field;
    }
    if (body.length == 0) return true;
    porthouse_end(client, PORTHOUSE_MALFORMED_PACKET);
    return false;
}

bool porthouse_decode(porthouse_t *client, porthouse_view_t bytes, const pb_msgdesc_t *type,
                      void *body)
{
    if (porthouse_read(bytes, type, body)) return true;
    porthouse_end(client, PORTHOUSE_MALFORMED_PACKET);
    return false;
}
