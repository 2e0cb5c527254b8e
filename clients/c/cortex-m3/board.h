/*
 * What the device has of its board: a line to somewhere, a clock, and by semihosting the words on
 * its command line, a place to print, and an end.
 */
#ifndef BOARD_H
#define BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The next byte of the line; false: there is none yet. */
bool board_read(uint8_t *byte);
void board_write(uint8_t byte);
/* Milliseconds. */
uint32_t board_now(void);
/* The command line, ended by a zero. */
void board_arguments(char *line, size_t size);
void board_print(const char *text, size_t length);
void board_exit(bool failed);

int main(void);

#endif
