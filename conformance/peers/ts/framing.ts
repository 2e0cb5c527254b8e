/** Messages on a stream of bytes, each after its length in four bytes, most significant first. */

const MESSAGE_BYTES_MAX = 64 * 2 ** 20

/** Throws where a message is longer than any that a runner sends, or cut off by the end. */
export async function* readMessages(input: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  let bytes: Buffer = Buffer.alloc(0)
  for await (const chunk of input) {
    bytes = Buffer.concat([bytes, chunk])
    while (bytes.length >= 4) {
      const length = bytes.readUInt32BE()
      if (length > MESSAGE_BYTES_MAX) throw new RangeError(`a message of ${length} bytes`)
      if (bytes.length < 4 + length) break
      yield bytes.subarray(4, 4 + length)
      bytes = bytes.subarray(4 + length)
    }
  }
  if (bytes.length > 0) throw new RangeError('the input ends within a message')
}

export function framed(message: Uint8Array): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(message.length)
  return Buffer.concat([length, message])
}
