/** The table of codes, read from the options in code.proto, and refusals by code (PH-9.1). */
import { getOption, type Message } from '@bufbuild/protobuf'
import { Code, CodeSchema, type Rendering, rendering } from '@porthouse/proto/v1/code'

/** One row: a code and what it looks like on every transport; see Rendering in code.proto. */
export interface CodeInfo extends Readonly<Omit<Rendering, keyof Message>> {
  readonly code: Code
  /** As people and the command line write it: without `CODE_`, e.g. `ROOM_UNKNOWN`. */
  readonly name: string
}

/** Every code but CODE_UNSPECIFIED, by number. */
export const CODES: readonly CodeInfo[] = Object.freeze(
  CodeSchema.values
    .filter((value) => value.number !== Code.UNSPECIFIED)
    .map((value) => {
      const { $typeName: _type, $unknown: _unknown, ...rest } = getOption(value, rendering)
      return Object.freeze({ code: value.number as Code, name: value.localName, ...rest })
    }),
)

/** After which what is temporary may be tried again: limits of rates let more through by then. */
export const RETRY_SECONDS = 1

const BY_NUMBER: ReadonlyMap<number, CodeInfo> = new Map(CODES.map((info) => [info.code, info]))

/** The row of a code. One that is not in the table, as of a newer peer, is as good as INTERNAL. */
export function codeInfo(code: Code): CodeInfo {
  return BY_NUMBER.get(code) ?? (BY_NUMBER.get(Code.INTERNAL) as CodeInfo)
}

/** Thrown wherever something is refused; the edge turns it into what the transport has for it. */
export class Refusal extends Error {
  readonly code: Code
  /** For a person, without secrets; goes to the peer, cut to DETAIL_BYTES_MAX. Not API. */
  readonly detail: string
  /** What decided it, as TrailStep.decided_by says; `` where nothing that is configured did. */
  readonly decidedBy: string

  constructor(code: Code, detail: string, decidedBy = '') {
    super(`${codeInfo(code).name}: ${detail}`)
    this.name = 'Refusal'
    this.code = code
    this.detail = detail
    this.decidedBy = decidedBy
  }
}
