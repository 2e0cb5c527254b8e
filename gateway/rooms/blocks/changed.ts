/** What of a config is another in the next one, for those who are in the room (R19). */
import { equals } from '@bufbuild/protobuf'
import { BlockSchema, type Config } from '@porthouse/proto/room/v1/config'
import { type Kind, nameOf } from './blocks.ts'

/** Kinds of the blocks that differ, as in Config, in alphabetical order. */
export function changedKinds(before: Config, after: Config): string[] {
  const [old, now] = [byKind(before), byKind(after)]
  const kinds = new Set([...old.keys(), ...now.keys()])
  return [...kinds]
    .filter((kind) => {
      const [one, other] = [old.get(kind), now.get(kind)]
      return !one || !other || !equals(BlockSchema, one, other)
    })
    .map(nameOf)
    .sort()
}

function byKind({ blocks }: Config) {
  return new Map(
    blocks.flatMap((block) =>
      block.kind.case === undefined ? [] : [[block.kind.case as Kind, block] as const],
    ),
  )
}
