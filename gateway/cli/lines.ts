/** Standard input as messages. */
import { isUtf8 } from 'node:buffer'
import { Failure, usage } from './failure.ts'

/** One line, or all of the input as one message; no gateway takes as much in one. */
export const INPUT_BYTES_MAX = 16 * 1024 * 1024

const NEWLINE = 0x0a
const RETURN = 0x0d

/**
 * The lines of a stream without their ends, as they come; the last may lack its end. Throws a
 * Failure at a line over the bound.
 */
export async function* linesOf(input: AsyncIterable<Buffer>, max = INPUT_BYTES_MAX) {
  let parts: Buffer[] = []
  let size = 0
  for await (const chunk of input) {
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      yield withoutReturn(Buffer.concat([...parts, chunk.subarray(start, end)]))
      parts = []
      size = 0
      start = end + 1
    }
    size += chunk.length - start
    if (size > max) throw tooLarge('a line of the input', max)
    if (start < chunk.length) parts.push(chunk.subarray(start))
  }
  if (size > 0) yield withoutReturn(Buffer.concat(parts))
}

/** The whole stream. Throws a Failure over the bound. */
export async function wholeOf(
  input: AsyncIterable<Buffer>,
  max = INPUT_BYTES_MAX,
): Promise<Buffer> {
  const parts: Buffer[] = []
  let size = 0
  for await (const chunk of input) {
    size += chunk.length
    if (size > max) throw tooLarge('the input', max)
    parts.push(chunk)
  }
  return Buffer.concat(parts)
}

/** What is piped in, but for one end of a line, which `echo` and editors add. */
export async function pipedInput(max: number, reader: string): Promise<Buffer> {
  if (process.stdin.isTTY) throw usage(`${reader} reads from a pipe or file, not from a terminal`)
  // Two more for the end of the line.
  const all = await wholeOf(process.stdin, max + 2)
  return all.at(-1) === NEWLINE ? withoutReturn(all.subarray(0, -1)) : all
}

/** Text where the bytes are text, so that readers of JSON can read it; else the bytes. */
export function contentOf(bytes: Buffer): string | Uint8Array {
  return isUtf8(bytes) ? bytes.toString('utf8') : bytes
}

function withoutReturn(line: Buffer): Buffer {
  return line.at(-1) === RETURN ? line.subarray(0, -1) : line
}

function tooLarge(what: string, max: number): Failure {
  return new Failure('PAYLOAD_TOO_LARGE', `${what} is over ${max} bytes`)
}
