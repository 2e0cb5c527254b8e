/** `porthouse room revisions | diff | rollback`: the configs that a room has had (R19). */
import { create } from '@bufbuild/protobuf'
import { type Config, ConfigSchema } from '@porthouse/proto/room/v1/config'
import { changedKinds } from '../rooms/blocks/changed.ts'
import { shownJson } from '../rooms/config-secrets.ts'
import { unifiedDiff } from '../rooms/unified-diff.ts'
import type { RoomHead, Store } from '../store/store.ts'
import { authorOf } from './author.ts'
import { usage } from './failure.ts'
import { flowReader } from './flow-reader.ts'
import { roomName } from './names.ts'
import { harmless, print, printJson, printTable, styled, warn } from './output.ts'
import { addressOf, findHead, forScripts, unreadable } from './room.ts'
import { checkUsable } from './room-config.ts'
import { missing, type StoreOptions, withStore } from './with-store.ts'

/** Revisions read at once: each may hold a schema or a descriptor set. */
const PAGE = 50

interface Row {
  readonly revision: number
  readonly author: string
  readonly createdAt: string
  /** Its config is of a later version. */
  readonly unreadable?: boolean
}

export async function listRevisions(name: string, options: StoreOptions): Promise<void> {
  const { account, room } = roomName(name)
  const rows = await withStore(options, async (store) => {
    await findHead(store, name)
    const rows: Row[] = []
    for (let before: number | undefined; ; ) {
      const page = await store.rooms.revisions(account, room, {
        limit: PAGE,
        ...(before !== undefined && { before }),
      })
      for (const { revision, author, createdAt, config } of page) {
        const row = { revision, author, createdAt: createdAt.toISOString() }
        rows.push({ ...row, ...(!config && { unreadable: true }) })
      }
      before = page.at(-1)?.revision
      if (page.length < PAGE) return rows
    }
  })
  if (options.json) return printJson(rows)
  printTable(
    ['revision', 'created', 'author'],
    rows.map(({ revision, createdAt, author, unreadable: isLater }) => {
      const note = isLater ? ' (of a later version of porthouse)' : ''
      return [String(revision), createdAt, `${harmless(author)}${note}`]
    }),
  )
}

type DiffOptions = StoreOptions & { readonly reveal?: boolean }

/** Of the two, `to` is the latest where it is absent, and `from` the one before it. */
export async function diffRevisions(
  name: string,
  from: string | undefined,
  to: string | undefined,
  options: DiffOptions,
): Promise<void> {
  const [first, last] = [from, to].map((typed) => (typed ? revisionOf(typed) : undefined))
  const { address, before, after } = await withStore(options, async (store) => {
    const record = await findHead(store, name)
    const after = await theRevision(store, record, last ?? record.revision)
    const before = await theRevision(store, record, first ?? Math.max(0, after.revision - 1))
    return { address: `room:${addressOf(record)}`, before, after }
  })
  const heading = [before, after].map(({ revision }) => `${address} revision ${revision}`)
  const hunks = unifiedDiff(linesOf(before, options.reveal), linesOf(after, options.reveal))
  const diff = hunks.length > 0 ? [`--- ${heading[0]}`, `+++ ${heading[1]}`, ...hunks] : []
  const blocks = changedKinds(before.config, after.config)
  if (options.json) {
    const text = diff.map((line) => `${line}\n`).join('')
    return printJson({ from: before.revision, to: after.revision, blocks, diff: text })
  }
  for (const line of diff) print(coloured(harmless(line)))
  if (diff.length > 0) return
  warn(blocks.length > 0 ? 'secrets alone differ; --reveal shows them' : 'the two are the same')
}

export async function rollBack(name: string, typed: string, options: StoreOptions): Promise<void> {
  const revision = revisionOf(typed)
  const record = await withStore(options, async (store, around) => {
    const room = await findHead(store, name)
    const { config } = await theRevision(store, room, revision)
    // Acceptors and bounds may be others now.
    checkUsable(config, flowReader(store, around))
    const author = authorOf(`room rollback ${revision}`)
    return store.rooms.configure(room.account.id, room.id, config, author)
  })
  if (options.json) return printJson(forScripts(record))
  print(`room ${addressOf(record)} has config ${record.revision}, which is that of ${revision}`)
}

function revisionOf(typed: string): number {
  if (!/^\d{1,9}$/.test(typed)) throw usage(`${typed} is no revision, which is a number`)
  return Number(typed)
}

interface Known {
  readonly revision: number
  readonly config: Config
}

/**
 * Before the first one a room had no blocks. Throws a Failure where there is no such revision, or
 * none that can be read.
 */
async function theRevision(
  store: Store,
  { account, id, ...room }: RoomHead,
  revision: number,
): Promise<Known> {
  if (revision === 0) return { revision, config: create(ConfigSchema) }
  const [found] = await store.rooms.revisions(account.id, id, { before: revision + 1, limit: 1 })
  const name = `${account.slug}/${room.slug}`
  if (found?.revision === revision) {
    const { config } = found
    if (!config) throw unreadable(`revision ${revision} of ${name}`, name)
    return { revision, config }
  }
  throw missing(`revision ${revision} of ${name}`, `see: porthouse room revisions ${name}`)
}

/** As `room config show` prints it. */
function linesOf({ config }: Known, reveal?: boolean): string[] {
  return JSON.stringify(shownJson(config, reveal), null, 2).split('\n')
}

const COLOURS = new Map<string | undefined, 'green' | 'red' | 'cyan'>([
  ['+', 'green'],
  ['-', 'red'],
  ['@', 'cyan'],
])

function coloured(line: string): string {
  const colour = COLOURS.get(line[0])
  return colour ? styled(colour, line) : line
}
