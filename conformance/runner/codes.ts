/** The table of codes, by name and by what a transport says. */
import { getOption } from '@bufbuild/protobuf'
import { CodeSchema, rendering } from '@porthouse/proto/v1/code'

export interface CodeInfo {
  /** Without CODE_, e.g. "KICKED". */
  readonly name: string
  readonly websocketClose: number
  readonly mqttReason: number
  readonly httpStatus: number
  readonly temporary: boolean
}

const table = new Map<string, CodeInfo>(
  CodeSchema.values
    .filter(({ number }) => number !== 0)
    .map((value) => {
      const name = value.name.replace(/^CODE_/, '')
      return [name, { name, ...getOption(value, rendering) }]
    }),
)

/** By name, with or without CODE_. Throws a TypeError where there is no such code. */
export function codeNamed(name: string): CodeInfo {
  const info = table.get(name.replace(/^CODE_/, ''))
  if (!info) throw new TypeError(`no code is named ${name}`)
  return info
}
