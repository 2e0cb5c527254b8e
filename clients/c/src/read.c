/*
 * Bytes into the generated structs, by nanopb's descriptors. Its own decoder knows streams, arrays
 * and memory that is taken, and is 2 KB larger; this one knows views of bytes that are there.
 */
#include <pb_common.h>
#include <string.h>

#include "porthouse/frame.h"

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

/* The bits of a double, the least byte first. */
static void read_bits(const porthouse_field_t *field, const pb_field_iter_t *into)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < 8; i++) bits |= (uint64_t)field->bytes.data[i] << (8 * i);
    memcpy(into->pData, &bits, sizeof bits);
}

static void read_view(const porthouse_field_t *field, const pb_field_iter_t *into)
{
    if (PB_HTYPE(into->type) == PB_HTYPE_REPEATED) {
        ((porthouse_list_t *)into->pData)->count++;
    } else {
        *(porthouse_view_t *)into->pData = field->bytes;
    }
}

/* The wire type of a field; of the schema's types there are no others. */
static uint8_t wire_of(const pb_field_iter_t *into)
{
    if (PB_LTYPE(into->type) <= PB_LTYPE_UVARINT) return PB_WT_VARINT;
    return PB_LTYPE(into->type) == PB_LTYPE_FIXED64 ? PB_WT_64BIT : PB_WT_STRING;
}

static bool read_field(const porthouse_field_t *field, const pb_field_iter_t *into)
{
    if (field->wire != wire_of(into)) return false;
    if (PB_HTYPE(into->type) == PB_HTYPE_ONEOF) {
        pb_size_t *const which = (pb_size_t *)into->pSize;
        if (*which != into->tag) memset(into->pData, 0, into->data_size);
        *which = into->tag;
    } else if (into->pSize && PB_HTYPE(into->type) == PB_HTYPE_OPTIONAL) {
        *(bool *)into->pSize = true;
    }
    if (field->wire == PB_WT_VARINT) return read_number(field, into);
    if (field->wire == PB_WT_64BIT) {
        read_bits(field, into);
    } else if (PB_ATYPE(into->type) == PB_ATYPE_STATIC) {
        return porthouse_read(field->bytes, into->submsg_desc, into->pData);
    } else {
        read_view(field, into);
    }
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
