/*
 * What the client keeps room for. Each can be set for the compiler (-DPORTHOUSE_ROOMS=2); costs are
 * bytes of memory on a 32-bit machine. The library and what uses it must be compiled alike.
 */
#ifndef PORTHOUSE_LIMITS_H
#define PORTHOUSE_LIMITS_H

/* Rooms, channels and groups that it stays in over reconnections. 40 bytes each. */
#ifndef PORTHOUSE_ROOMS
#define PORTHOUSE_ROOMS 4
#endif

/* Messages sent that wait for a receipt; over it: QUEUE_FULL. 4 bytes each. */
#ifndef PORTHOUSE_IN_FLIGHT
#define PORTHOUSE_IN_FLIGHT 8
#endif

/* The longest resume token that it keeps; a longer one is not used. 1 byte each. */
#ifndef PORTHOUSE_RESUME_BYTES
#define PORTHOUSE_RESUME_BYTES 48
#endif

/* A good size of the buffer for what is to be sent: holds a greeting and one message. */
#ifndef PORTHOUSE_OUT_BYTES
#define PORTHOUSE_OUT_BYTES 512
#endif

/* A good size of the buffer for a frame that comes in pieces; a larger one is skipped, and told. */
#ifndef PORTHOUSE_IN_BYTES
#define PORTHOUSE_IN_BYTES 512
#endif

#endif
