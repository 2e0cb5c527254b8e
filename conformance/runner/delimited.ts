/** Messages on a stream, each after its length in four bytes, most significant first. */
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { type DescMessage, fromBinary, type MessageShape, toBinary } from '@bufbuild/protobuf'

/** One message; over it a peer is not believed. */
const MAX_BYTES = 64 * 1024 * 1024

export async function write<Desc extends DescMessage>(
  stream: Writable,
  schema: Desc,
  message: MessageShape<Desc>,
): Promise<void> {
  const bytes = toBinary(schema, message)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  if (!stream.write(Buffer.concat([length, bytes]))) await once(stream, 'drain')
}

/** Each message, until the stream ends. Throws where it ends within one. */
export async function* messages<Desc extends DescMessage>(
  stream: Readable,
  schema: Desc,
): AsyncGenerator<MessageShape<Desc>, void> {
  for await (const bytes of encoded(stream)) yield fromBinary(schema, bytes)
}

/** The same, of messages that are not all of one kind. */
export async function* encoded(stream: Readable): AsyncGenerator<Uint8Array, void> {
  let rest = Buffer.alloc(0)
  for await (const chunk of stream) {
    rest = Buffer.concat([rest, chunk as Buffer])
    while (rest.length >= 4) {
      const length = rest.readUInt32BE(0)
      if (length > MAX_BYTES) throw new RangeError(`a message of ${length} bytes`)
      if (rest.length < 4 + length) break
      yield new Uint8Array(rest.subarray(4, 4 + length))
      rest = rest.subarray(4 + length)
    }
  }
  if (rest.length > 0) throw new RangeError('the stream ended within a message')
}
