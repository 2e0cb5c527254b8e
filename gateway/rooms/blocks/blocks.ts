/** The blocks of one config, by kind, as the readers of each kind get them. */
import { type Block, BlockSchema, type Config } from '@porthouse/proto/room/v1/config'

export type Kind = NonNullable<Block['kind']['case']>
export type ValueOf<K extends Kind> = Extract<Block['kind'], { case: K }>['value']

/** As in Config, e.g. `slow_consumers`. */
export function nameOf(kind: Kind): string {
  return BlockSchema.field[kind].name
}

export class Blocks {
  readonly #blocks: readonly Block[]

  constructor({ blocks }: Config) {
    this.#blocks = blocks
  }

  /** The first one of its kind; undefined where it is absent. */
  of<K extends Kind>(kind: K): ValueOf<K> | undefined {
    return this.#blocks.find((each) => each.kind.case === kind)?.kind.value as
      | ValueOf<K>
      | undefined
  }
}
