/** A file that says whether it is whole: its last 32 bytes are the SHA-256 of all before. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { damaged } from './header.ts'

const SEAL_BYTES = 32

/** The same bytes, and the seal. */
export async function* sealed(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256')
  for await (const chunk of content) {
    hash.update(chunk)
    yield chunk
  }
  yield hash.digest()
}

/** Reads a file to its end. Resolves with the length of its content; rejects where it is broken. */
export async function checkSeal(path: string): Promise<number> {
  const length = (await stat(path)).size - SEAL_BYTES
  if (length < 1) throw damaged()
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { end: length - 1 })) hash.update(chunk)
  const seal: Buffer[] = []
  for await (const chunk of createReadStream(path, { start: length })) seal.push(chunk)
  if (!hash.digest().equals(Buffer.concat(seal))) throw damaged()
  return length
}
