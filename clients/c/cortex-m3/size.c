/*
 * What the core takes: this program with it less the same without it, which has the functions of
 * the C library that it uses and that a firmware has anyway.
 */
#include <string.h>

#include "porthouse.h"

typedef void (*function_t)(void);

static const function_t volatile uses[] = {
    (function_t)memcmp,
    (function_t)memcpy,
    (function_t)memmove,
    (function_t)memset,
    (function_t)strlen,
#ifdef WITH_CORE
    (function_t)porthouse_answer,
    (function_t)porthouse_close,
    (function_t)porthouse_closed,
    (function_t)porthouse_init,
    (function_t)porthouse_join,
    (function_t)porthouse_leave,
    (function_t)porthouse_next,
    (function_t)porthouse_opened,
    (function_t)porthouse_output,
    (function_t)porthouse_received,
    (function_t)porthouse_request,
    (function_t)porthouse_room,
    (function_t)porthouse_send,
    (function_t)porthouse_sent,
    (function_t)porthouse_tick,
#endif
};

#ifdef WITH_CORE
porthouse_t state;
uint8_t out[PORTHOUSE_OUT_BYTES];
uint8_t in[PORTHOUSE_IN_BYTES];
static uint8_t *const volatile memory[] = {(uint8_t *)&state, out, in};
#endif

void reset(void)
{
    (void)uses[0];
#ifdef WITH_CORE
    (void)memory[0];
#endif
}
