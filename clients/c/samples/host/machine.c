#define _DEFAULT_SOURCE
#include "machine.h"

#include <time.h>
#include <unistd.h>

uint32_t machine_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint32_t)time.tv_sec * 1000 + (uint32_t)(time.tv_nsec / 1000000);
}

uint32_t machine_chance(void *context)
{
    uint32_t bits = 0;
    (void)context;
    return getentropy(&bits, sizeof bits) == 0 ? bits : machine_now();
}
