/* Words of the samples' output. */
#ifndef WORDS_H
#define WORDS_H

#include <porthouse.h>

/* ROUTED, VOID and so on. */
const char *status_name(porthouse_ReceiptStatus status);

/* passed, failed or dropped. */
const char *outcome_name(porthouse_Outcome outcome);

/* For printf's "%.*s". */
#define VIEW(view) (int)(view).length, (const char *)(view).data

#endif
