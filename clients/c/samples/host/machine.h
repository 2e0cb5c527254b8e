/* What the core asks of the machine: a clock, and chance. */
#ifndef MACHINE_H
#define MACHINE_H

#include <stdint.h>

/* Milliseconds, which never go back and may wrap. */
uint32_t machine_now(void);

/* 32 bits that nobody can foresee; porthouse_options_t.random. */
uint32_t machine_chance(void *context);

#endif
