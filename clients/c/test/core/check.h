/*
 * What tests are made of: each is a function in its file's table, and ends the program where it
 * fails.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition)                                                             \
    do {                                                                             \
        if (!(condition)) {                                                          \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);  \
            exit(1);                                                                 \
        }                                                                            \
    } while (0)

typedef struct {
    const char *name;
    void (*run)(void);
} check_t;

/* Ends a table. */
#define CHECK_END {NULL, NULL}

extern const check_t codes_tests[];
extern const check_t connection_tests[];
extern const check_t frame_tests[];
extern const check_t heartbeat_tests[];
extern const check_t hostile_tests[];
extern const check_t input_tests[];
extern const check_t lock_tests[];
extern const check_t message_tests[];
extern const check_t resume_tests[];
extern const check_t room_tests[];

#endif
