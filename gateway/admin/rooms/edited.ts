/** A room's config as an update makes it, whole or block by block, and whether it may be used. */
import { create } from '@bufbuild/protobuf'
import type { FieldMask } from '@bufbuild/protobuf/wkt'
import { type Block, BlockSchema, type Config, ConfigSchema } from '@porthouse/proto/room/v1/config'
import type { Fault } from '../../locks/fault.ts'
import { invalid, type Violation, Violations } from '../../protocol/violations.ts'
import { checkConfig, type FlowReader } from '../../rooms/config.ts'
import { MASK, masksIn } from '../../rooms/config-secrets.ts'

const WHOLE = 'config'
const BLOCK = /^config\.blocks\.([a-z_]+)$/
const KINDS: ReadonlySet<string> = new Set(BlockSchema.fields.map(({ name }) => name))

/**
 * The kinds of blocks that a mask names, as in Block; undefined: the whole config. Throws
 * Violations.
 */
export function kindsIn(mask: FieldMask | undefined): ReadonlySet<string> | undefined {
  if (!mask || mask.paths.length === 0) return undefined
  if (mask.paths.includes(WHOLE)) {
    if (mask.paths.length === 1) return undefined
    throw invalid('updateMask', 'names the whole config and more')
  }
  return new Set(mask.paths.map(kindIn))
}

function kindIn(path: string): string {
  const [, kind = ''] = BLOCK.exec(path) ?? []
  if (KINDS.has(kind)) return kind
  throw invalid('updateMask', `${path} is neither config nor config.blocks.KIND`)
}

/**
 * The config with the blocks of these kinds as they are given, each in its place; those that are
 * not given are gone.
 */
export function withBlocks(config: Config, given: Config, kinds: ReadonlySet<string>): Config {
  const blocks = config.blocks.flatMap((block) => {
    const kind = kindOf(block)
    return kinds.has(kind) ? given.blocks.filter((each) => kindOf(each) === kind) : [block]
  })
  const known = new Set(config.blocks.map(kindOf))
  const added = given.blocks.filter((block) => {
    const kind = kindOf(block)
    return kinds.has(kind) && !known.has(kind)
  })
  return create(ConfigSchema, { blocks: [...blocks, ...added] })
}

/** As in Block; empty: none that is known. */
export function kindOf({ kind }: Block): string {
  return kind.case === undefined ? '' : BlockSchema.field[kind.case].name
}

/**
 * Throws Violations with every fault, by path from `field`. `byKind`: some of its blocks alone were
 * given, so that a block is named by its kind, as in an update mask, rather than by its position.
 */
export function checkUsable(
  config: Config,
  flows: FlowReader,
  field: string,
  byKind = false,
): void {
  const violations = violationsIn(config, flows, field).map((violation) =>
    byKind ? { ...violation, field: violation.field.replace(POSITION, '.') } : violation,
  )
  if (violations.length > 0) throw new Violations(violations)
}

/** Of a block, before its kind. */
const POSITION = /(?<=\.blocks)\[\d+\]\./

export function violationsIn(config: Config, flows: FlowReader, field: string): Violation[] {
  const faults = checkConfig(config, flows)
  // Nobody can say what is in one that is not even JSON.
  if (faults.some(({ path }) => path === '')) return violationsOf(faults, field)
  const masks = masksIn(config).map((path) => ({
    path,
    reason: `${MASK} stands in place of a secret; reveal_secrets shows a config that can be set`,
  }))
  // A mask is no secret of its kind either, which need not be told twice.
  const masked = new Set(masks.map(({ path }) => path))
  return violationsOf([...masks, ...faults.filter(({ path }) => !masked.has(path))], field)
}

export function violationsOf(faults: Iterable<Fault>, field: string): Violation[] {
  return Array.from(faults, ({ path, reason }) => ({
    field: path === '' ? field : `${field}.${path}`,
    description: reason,
  }))
}
