#define _POSIX_C_SOURCE 200809L
#include "input.h"

#include <string.h>
#include <unistd.h>

bool input_wants(const input_t *input)
{
    return !input->ended && input->length < INPUT_LINE_BYTES;
}

bool input_read(input_t *input)
{
    ssize_t length =
        read(STDIN_FILENO, input->bytes + input->length, INPUT_LINE_BYTES - input->length);
    if (length <= 0) input->ended = true;
    else input->length += (size_t)length;
    /* What stands behind the last line's end is a line as well. */
    if (input->ended && input->length > 0 && input->bytes[input->length - 1] != '\n')
        input->bytes[input->length++] = '\n';
    return input_wants(input) || input->ended || memchr(input->bytes, '\n', input->length) != NULL;
}

bool input_line(const input_t *input, porthouse_view_t *line)
{
    const char *end = memchr(input->bytes, '\n', input->length);
    line->data = (const uint8_t *)input->bytes;
    line->length = end != NULL ? (size_t)(end - input->bytes) : 0;
    return end != NULL;
}

void input_taken(input_t *input)
{
    porthouse_view_t line;
    if (!input_line(input, &line)) return;
    input->length -= line.length + 1;
    memmove(input->bytes, input->bytes + line.length + 1, input->length);
}
