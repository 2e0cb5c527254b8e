/*
 * Runs every test, and prints its name once it has passed.
 */
#include "check.h"

int main(void)
{
    const check_t *const tables[] = {
        codes_tests,   connection_tests, frame_tests,   heartbeat_tests, hostile_tests,
        input_tests,   lock_tests,       message_tests, resume_tests,    room_tests,
    };
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        for (const check_t *test = tables[i]; test->name; test++) {
            test->run();
            printf("ok %s\n", test->name);
        }
    }
    return 0;
}
