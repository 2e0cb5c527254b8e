/*
 * Bytes that somebody else keeps: a pointer and a length, never a copy, never a zero at the end.
 */
#ifndef PORTHOUSE_VIEW_H
#define PORTHOUSE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <pb.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    const uint8_t *data;
    size_t length;
} porthouse_view_t;

/*
 * A repeated field. To send: `items` is an array of porthouse_view_t, or of header entries. Heard:
 * `count` alone says how many there were; porthouse_field() walks them in the event's body.
 */
typedef struct {
    const void *items;
    size_t count;
} porthouse_list_t;

/* A view of a string literal; also an initialiser of one that is static. */
#define PORTHOUSE_TEXT(literal) {(const uint8_t *)(literal), sizeof(literal) - 1}

/* A view of a string that ends with a zero. */
static inline porthouse_view_t porthouse_view(const char *text)
{
    porthouse_view_t view;
    view.data = (const uint8_t *)text;
    view.length = text ? strlen(text) : 0;
    return view;
}

static inline bool porthouse_same(porthouse_view_t a, porthouse_view_t b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

/* Whether the view is that string, as in porthouse_is(challenge->acceptor, "tty"). */
static inline bool porthouse_is(porthouse_view_t view, const char *text)
{
    return porthouse_same(view, porthouse_view(text));
}

/* How the generated messages are written by pb_encode(); they are read by porthouse_read(). */
bool porthouse_view_field(pb_istream_t *in, pb_ostream_t *out, const pb_field_iter_t *field);

#ifdef __cplusplus
}
#endif

#endif
