/* The table of codes, as far as a client needs it. */
#include <string.h>

#include "check.h"
#include "porthouse.h"

static void names(void)
{
    CHECK(strcmp(porthouse_code_name(PORTHOUSE_QUEUE_FULL), "QUEUE_FULL") == 0);
    CHECK(strcmp(porthouse_code_name(499), "UNKNOWN") == 0);
}

static void temporary(void)
{
    CHECK(porthouse_code_temporary(PORTHOUSE_DRAINING));
    CHECK(!porthouse_code_temporary(PORTHOUSE_REVOKED));
    CHECK(!porthouse_code_temporary(PORTHOUSE_OK));
    CHECK(!porthouse_code_temporary(499));
}

const check_t codes_tests[] = {
    {"a code has its name", names},
    {"a code is temporary or not", temporary},
    CHECK_END,
};
