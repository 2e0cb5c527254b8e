#include "bytes.h"

#include <stdio.h>
#include <stdlib.h>

void bytes_add(bytes_t *bytes, const void *data, size_t length)
{
    if (length > bytes->size - bytes->length) {
        bytes->size = 2 * bytes->size + length;
        bytes->data = realloc(bytes->data, bytes->size);
        if (bytes->data == NULL) {
            fprintf(stderr, "no memory left\n");
            exit(1);
        }
    }
    if (length > 0) memcpy(bytes->data + bytes->length, data, length);
    bytes->length += length;
}

void bytes_free(bytes_t *bytes)
{
    free(bytes->data);
    memset(bytes, 0, sizeof *bytes);
}

porthouse_view_t bytes_view(const bytes_t *bytes)
{
    porthouse_view_t view = {bytes->data, bytes->length};
    return view;
}

static void put_varint(bytes_t *bytes, uint64_t value)
{
    uint8_t byte;
    do {
        byte = (uint8_t)(value & 0x7f);
        value >>= 7;
        if (value != 0) byte |= 0x80;
        bytes_add(bytes, &byte, 1);
    } while (value != 0);
}

void put_number(bytes_t *bytes, uint32_t field, uint64_t value)
{
    if (value == 0) return;
    put_varint(bytes, field << 3);
    put_varint(bytes, value);
}

void put_present(bytes_t *bytes, uint32_t field, porthouse_view_t value)
{
    put_varint(bytes, field << 3 | 2);
    put_varint(bytes, value.length);
    bytes_add(bytes, value.data, value.length);
}

void put_view(bytes_t *bytes, uint32_t field, porthouse_view_t value)
{
    if (value.length > 0) put_present(bytes, field, value);
}
