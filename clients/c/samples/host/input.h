/* Lines of stdin, as they come. */
#ifndef INPUT_H
#define INPUT_H

#include <porthouse/view.h>

/* The longest line. */
#define INPUT_LINE_BYTES (64 * 1024)

typedef struct {
    char bytes[INPUT_LINE_BYTES + 1];
    size_t length;
    bool ended;
} input_t;

/* Whether there is room for more than what is here. */
bool input_wants(const input_t *input);

/* Reads what stdin has. False: a line is too long. */
bool input_read(input_t *input);

/* The first line, without its end. False: not yet, or, where the input has ended, no more. */
bool input_line(const input_t *input, porthouse_view_t *line);

/* Forgets the first line. */
void input_taken(input_t *input);

#endif
