/** `porthouse room …` (R19). */

import { locksIn } from '../locks/flow.ts'
import { readConfig } from '../rooms/config.ts'
import { shownJson } from '../rooms/config-secrets.ts'
import {
  type ListedRoom,
  type RoomHead,
  type RoomRecord,
  type Store,
  StoreError,
} from '../store/store.ts'
import { authorOf } from './author.ts'
import { EXIT, Failure } from './failure.ts'
import { findAccount } from './find-account.ts'
import { flowReader } from './flow-reader.ts'
import { wholeOf } from './lines.ts'
import { newSlug, roomName } from './names.ts'
import { print, printJson, printTable } from './output.ts'
import {
  type BlockOptions,
  checkUsable,
  parseConfig,
  readConfigFile,
  roomConfig,
} from './room-config.ts'
import { missing, type StoreOptions, withStore } from './with-store.ts'

// `config` names the room's own config file here; the gateway's is PORTHOUSE_CONFIG's.
type CreateOptions = Omit<StoreOptions, 'config'> & BlockOptions

type ShowOptions = StoreOptions & { readonly reveal?: boolean }

export async function createRoom(
  name: string,
  { data, json, ...blocks }: CreateOptions,
): Promise<void> {
  const { account, room } = roomName(name)
  const slug = newSlug(room, 'room')
  const config = roomConfig(blocks)
  const { made, acceptors } = await withStore({ ...(data && { data }) }, async (store, around) => {
    const reader = flowReader(store, around)
    checkUsable(config, reader, blocks.lock !== undefined)
    await findAccount(store, account)
    const { flow } = readConfig(config, reader)
    const author = authorOf('room create')
    return {
      made: await store.rooms.create({ account, slug, config, author }),
      acceptors: flow ? locksIn(flow).map(({ acceptor }) => acceptor) : [],
    }
  })
  if (json) return printJson(forScripts(made))
  print(`room ${addressOf(made)} is made; ${nextStep(made, acceptors)}`)
}

/** How somebody gets in. */
function nextStep({ account, slug }: RoomRecord, acceptors: readonly string[]): string {
  if (acceptors.length === 0) return 'whoever connects is in'
  const rights = `--room ${slug}:send,receive`
  const client = `client create ${account.slug}/CLIENT`
  const steps: Readonly<Record<string, string>> = {
    token: `give it a token:\n  porthouse token create ${account.slug} ${rights}`,
    key: `give its owner a key:\n  porthouse account key create ${account.slug}`,
    'ssh-key': `give it a client:\n  porthouse ${client} --ssh-key FILE.pub ${rights}`,
    password: `give it a client:\n  porthouse ${client} --password-stdin ${rights} <FILE`,
    preset: `give it a client:\n  porthouse ${client} --preset - ${rights} <FILE`,
  }
  if (acceptors.includes('token') && acceptors.includes('ssh-key')) {
    const byToken = `token create ${account.slug} ${rights} --client DEVICE`
    const device = `client create ${account.slug}/DEVICE --ssh-key FILE.pub ${rights}`
    return `add a device by token or by SSH key:\n  porthouse ${byToken}\n  porthouse ${device}`
  }
  const step = Object.keys(steps).find((acceptor) => acceptors.includes(acceptor))
  if (step) return steps[step]!
  if (acceptors.includes('identity')) return steps['ssh-key']!
  return `see what it asks for:\n  porthouse lock explain ${account.slug}/${slug}`
}

export async function listRooms(account: string, options: StoreOptions): Promise<void> {
  const rooms = await withStore(options, async (store) =>
    store.rooms.list((await findAccount(store, account)).id),
  )
  if (options.json) return printJson(rooms.map((one) => forScripts(one)))
  printTable(
    ['room', 'id', 'revision', 'created'],
    rooms.map((one) => [addressOf(one), one.id, String(one.revision), one.createdAt.toISOString()]),
  )
}

export async function showRoom(name: string, options: ShowOptions): Promise<void> {
  roomName(name)
  const found = await withStore(options, (store) => findRoom(store, name))
  const { config, ...rows } = forScripts(found, options.reveal)
  if (options.json) return printJson({ ...rows, config })
  const text = Object.entries(rows).map(([key, value]) => [key, String(value)])
  printTable(['room', addressOf(found)], [...text, ['config', JSON.stringify(config)]])
}

export async function deleteRoom(name: string, options: StoreOptions): Promise<void> {
  const { account, room } = roomName(name)
  const there = await withStore(options, (store) => store.rooms.delete(account, room))
  if (!there) throw missingRoom(name)
  if (options.json) return printJson({ deleted: name })
  print(`room ${name} is deleted`)
}

export async function showConfig(name: string, options: ShowOptions): Promise<void> {
  roomName(name)
  const { config } = await withStore(options, (store) => findRoom(store, name))
  const shown = shownJson(config, options.reveal)
  if (options.json) return printJson(shown)
  print(JSON.stringify(shown, null, 2))
}

export async function setConfig(name: string, file: string, options: StoreOptions): Promise<void> {
  const { account, room } = roomName(name)
  const config =
    file === '-'
      ? parseConfig((await wholeOf(process.stdin)).toString('utf8'), 'stdin')
      : readConfigFile(file)
  const record = await withStore(options, async (store, around) => {
    checkUsable(config, flowReader(store, around))
    await findHead(store, name)
    return store.rooms.configure(account, room, config, authorOf('room config set'))
  })
  if (options.json) return printJson(forScripts(record))
  print(`room ${addressOf(record)} has config ${record.revision}`)
}

/** By ACCOUNT/ROOM. Throws a Failure where there is none, or none that can be read. */
export async function findRoom(store: Store, name: string): Promise<RoomRecord> {
  const { account, room } = roomName(name)
  const found = await store.rooms.find(account, room).catch((error: unknown) => {
    const isUnreadable = error instanceof StoreError && error.failure === 'unreadable'
    throw isUnreadable ? unreadable(`the config of ${name}`, name, error) : error
  })
  if (!found) throw missingRoom(name)
  return found
}

/** The same, whatever its config is. */
export async function findHead(store: Store, name: string): Promise<RoomHead> {
  const { account, room } = roomName(name)
  const found = await store.rooms.head(account, room)
  if (!found) throw missingRoom(name)
  return found
}

export function unreadable(what: string, name: string, cause?: unknown): Failure {
  const next = `porthouse room revisions ${name} lists those that can be gone back to`
  const text = `${what} is of a later version of porthouse; ${next}`
  return new Failure('UNREADABLE', text, EXIT.failed, cause)
}

function missingRoom(name: string) {
  return missing(`room ${name}`, `make it with: porthouse room create ${name}`)
}

export function addressOf({ account, slug }: RoomHead): string {
  return `${account.slug}/${slug}`
}

/** As `--json` prints it. */
export function forScripts(record: ListedRoom, reveal = false) {
  const { id, account, slug, revision, createdAt, config } = record
  return {
    id,
    address: `room:${addressOf(record)}`,
    account: account.slug,
    slug,
    revision,
    createdAt: createdAt.toISOString(),
    // Null: of a later version.
    config: config ? shownJson(config, reveal) : null,
  }
}
