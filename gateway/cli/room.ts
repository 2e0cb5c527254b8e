/** `porthouse room …` (R19). */
import { toJson } from '@bufbuild/protobuf'
import { ConfigSchema } from '@porthouse/proto/room/v1/config'
import type { RoomRecord } from '../store/store.ts'
import { findAccount } from './account.ts'
import { newSlug, roomName } from './names.ts'
import { print, printJson, printTable } from './output.ts'
import { type BlockOptions, roomConfig } from './room-config.ts'
import { missing, type StoreOptions, withStore } from './with-store.ts'

// `config` names the room's own config file here; the gateway's is PORTHOUSE_CONFIG's.
type CreateOptions = Omit<StoreOptions, 'config'> & BlockOptions

export async function createRoom(
  name: string,
  { data, json, ...blocks }: CreateOptions,
): Promise<void> {
  const { account, room } = roomName(name)
  const slug = newSlug(room, 'room')
  const config = roomConfig(blocks)
  const made = await withStore({ ...(data && { data }) }, async (store) => {
    await findAccount(store, account)
    return store.rooms.create({ account, slug, config, author: 'porthouse room create' })
  })
  if (json) return printJson(forScripts(made))
  print(`room ${addressOf(made)} is made; give it a token:`)
  print(`  porthouse token create ${made.account.slug} --room ${made.slug}:send,receive`)
}

export async function listRooms(account: string, options: StoreOptions): Promise<void> {
  const rooms = await withStore(options, async (store) =>
    store.rooms.list((await findAccount(store, account)).id),
  )
  if (options.json) return printJson(rooms.map(forScripts))
  printTable(
    ['room', 'id', 'revision', 'created'],
    rooms.map((one) => [addressOf(one), one.id, String(one.revision), one.createdAt.toISOString()]),
  )
}

export async function showRoom(name: string, options: StoreOptions): Promise<void> {
  const { account, room } = roomName(name)
  const found = await withStore(options, (store) => store.rooms.find(account, room))
  if (!found) throw missingRoom(name)
  if (options.json) return printJson(forScripts(found))
  const { config, ...rows } = forScripts(found)
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

function missingRoom(name: string) {
  return missing(`room ${name}`, `make it with: porthouse room create ${name}`)
}

function addressOf({ account, slug }: RoomRecord): string {
  return `${account.slug}/${slug}`
}

function forScripts(record: RoomRecord) {
  const { id, account, slug, revision, createdAt, config } = record
  return {
    id,
    address: `room:${addressOf(record)}`,
    account: account.slug,
    slug,
    revision,
    createdAt: createdAt.toISOString(),
    config: toJson(ConfigSchema, config),
  }
}
