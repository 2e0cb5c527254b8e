#include "words.h"

const char *status_name(porthouse_ReceiptStatus status)
{
    switch (status) {
    case porthouse_ReceiptStatus_RECEIPT_STATUS_ACCEPTED: return "ACCEPTED";
    case porthouse_ReceiptStatus_RECEIPT_STATUS_ROUTED: return "ROUTED";
    case porthouse_ReceiptStatus_RECEIPT_STATUS_STORED: return "STORED";
    case porthouse_ReceiptStatus_RECEIPT_STATUS_VOID: return "VOID";
    case porthouse_ReceiptStatus_RECEIPT_STATUS_DUPLICATE: return "DUPLICATE";
    case porthouse_ReceiptStatus_RECEIPT_STATUS_REJECTED: return "REJECTED";
    default: return "UNKNOWN";
    }
}

const char *outcome_name(porthouse_Outcome outcome)
{
    switch (outcome) {
    case porthouse_Outcome_OUTCOME_PASSED: return "passed";
    case porthouse_Outcome_OUTCOME_FAILED: return "failed";
    default: return "dropped";
    }
}
