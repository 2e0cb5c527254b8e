/** Makes a room's descriptor set usable: the type of its messages, and all types within it. */
import {
  createFileRegistry,
  type DescMessage,
  type FileRegistry,
  fromBinary,
} from '@bufbuild/protobuf'
import { type FileDescriptorSet, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import type { Protobuf } from '@porthouse/proto/room/v1/messages'
import { shown } from '../misfit.ts'

const BYTES_MAX = 262_144

export interface MessageType {
  readonly type: DescMessage
  readonly registry: FileRegistry
  /** The type itself, and those of its fields, of theirs, and so on. */
  readonly types: readonly DescMessage[]
}

/** Throws an Error, for an admin, where it cannot be used. */
export function readMessageType({ descriptorSet, type: name }: Protobuf): MessageType {
  const known = registryOf(decoded(descriptorSet))
  const type = known.getMessage(name)
  if (!type) throw new Error(`type: no message ${shown(name, 80)} in descriptor_set`)
  return { type, registry: known, types: typesWithin(type) }
}

function decoded(bytes: Uint8Array): FileDescriptorSet {
  if (bytes.length > BYTES_MAX) throw new Error(`descriptor_set: over ${BYTES_MAX} bytes`)
  try {
    return fromBinary(FileDescriptorSetSchema, bytes)
  } catch {
    throw new Error('descriptor_set: not a google.protobuf.FileDescriptorSet')
  }
}

function registryOf(set: FileDescriptorSet): FileRegistry {
  const known = new Set<string>()
  for (const { name, dependency } of set.file) {
    const missing = dependency.find((each) => !known.has(each))
    if (missing !== undefined) {
      const [file, lacks] = [shown(name, 80), shown(missing, 80)]
      throw new Error(`descriptor_set: ${lacks}, which ${file} imports, is not there before it`)
    }
    known.add(name)
  }
  try {
    return createFileRegistry(set)
  } catch (error) {
    throw new Error(`descriptor_set: ${shown(reasonOf(error), 200)}`)
  }
}

/** Some of what the library finds wrong has no words. */
function reasonOf(error: unknown): string {
  return (error instanceof Error && error.message) || 'its types cannot be read'
}

function typesWithin(root: DescMessage): DescMessage[] {
  const types = new Set([root])
  // A set yields what is added while it is gone through.
  for (const type of types) {
    for (const field of type.fields) {
      if ('delimitedEncoding' in field && field.delimitedEncoding) {
        throw new Error(
          `descriptor_set: ${shown(String(field), 80)} is a group, which are not taken`,
        )
      }
      if (field.message) types.add(field.message)
    }
  }
  return [...types]
}
