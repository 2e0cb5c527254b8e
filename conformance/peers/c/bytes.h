/* Bytes that grow, and Protobuf written into them. */
#ifndef BYTES_H
#define BYTES_H

#include <porthouse/view.h>

typedef struct {
    uint8_t *data;
    size_t length, size;
} bytes_t;

void bytes_add(bytes_t *bytes, const void *data, size_t length);
void bytes_free(bytes_t *bytes);
porthouse_view_t bytes_view(const bytes_t *bytes);

/* A field of Protobuf; one that is 0 or empty is left out. */
void put_number(bytes_t *bytes, uint32_t field, uint64_t value);
void put_view(bytes_t *bytes, uint32_t field, porthouse_view_t value);
/* A message or a member of a oneof, which is there also when it is empty. */
void put_present(bytes_t *bytes, uint32_t field, porthouse_view_t value);

#endif
