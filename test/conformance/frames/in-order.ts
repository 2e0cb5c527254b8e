/** A message with its fields, and those of the messages in it, in the order of their numbers. */
import type { DescMessage } from '@bufbuild/protobuf'
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire'

/** Protobuf leaves the order free, and Go writes what a oneof chose after all else. */
export function inOrder(desc: DescMessage, bytes: Uint8Array): Uint8Array {
  const reader = new BinaryReader(bytes)
  const fields: { number: number; bytes: Uint8Array }[] = []
  while (reader.pos < reader.len) {
    const start = reader.pos
    const [number, wireType] = reader.tag()
    const message = desc.fields.find((field) => field.number === number)?.message
    if (message) fields.push({ number, bytes: delimited(number, inOrder(message, reader.bytes())) })
    else {
      reader.skip(wireType, number)
      fields.push({ number, bytes: bytes.subarray(start, reader.pos) })
    }
  }
  fields.sort((a, b) => a.number - b.number)
  return Buffer.concat(fields.map((field) => field.bytes))
}

function delimited(number: number, bytes: Uint8Array): Uint8Array {
  return new BinaryWriter().tag(number, WireType.LengthDelimited).bytes(bytes).finish()
}
