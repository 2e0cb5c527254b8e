import { CODES } from '../../gateway/protocol/codes.ts'

const head = `/*
 * The codes of whatever fails, rendered from proto/porthouse/v1/code.proto by \`make generate\`.
 * What each means stands in docs/codes.md.
 */`

/** clients/c/include/porthouse/code.h: the numbers. */
export function renderCodeHeader(): string {
  const numbers = CODES.map(({ code, name }) => `    PORTHOUSE_${name} = ${code}`)
  return `${head}
#ifndef PORTHOUSE_CODE_H
#define PORTHOUSE_CODE_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* 0: nothing failed. A gateway may say others, which are newer than this table. */
enum {
    PORTHOUSE_OK = 0,
${numbers.join(',\n')}
};

typedef uint32_t porthouse_code_t;

/* Its name as in docs/codes.md; "UNKNOWN" for one that is not in the table. */
const char *porthouse_code_name(porthouse_code_t code);

/*
 * Whether the same request may succeed later, and so whether to connect again after a connection
 * that ended with it [PH-9.3]; false for one that is not in the table.
 */
bool porthouse_code_temporary(porthouse_code_t code);

#ifdef __cplusplus
}
#endif

#endif
`
}

/** clients/c/src/code.c: what a client has to know of each. */
export function renderCodeSource(): string {
  const names = CODES.map(({ name }) => `    case PORTHOUSE_${name}: return "${name}";`)
  const temporary = CODES.filter((code) => code.temporary)
  const cases = temporary.map(({ name }) => `    case PORTHOUSE_${name}:`)
  return `${head}
#include "porthouse/code.h"

const char *porthouse_code_name(porthouse_code_t code)
{
    switch (code) {
${names.join('\n')}
    default: return "UNKNOWN";
    }
}

bool porthouse_code_temporary(porthouse_code_t code)
{
    switch (code) {
${cases.join('\n')}
        return true;
    default:
        return false;
    }
}
`
}
