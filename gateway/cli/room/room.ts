/** `porthouse room create | list | show | delete` (R19). */
import { type Room, RoomService } from '@porthouse/proto/admin/v1/room_service'
import { shownJson } from '../../rooms/config-secrets.ts'
import { newSlug, roomName } from '../names.ts'
import { print, printJson, printTable } from '../output.ts'
import { accountResource, addressOf, roomResource, timeOf } from '../resource.ts'
import { type Admin, type AdminOptions, everyOf, withAdmin } from '../with-admin.ts'
import { acceptorsIn, type BlockOptions, roomConfig } from './config.ts'
import { configTold, unreadable } from './failure.ts'

// `config` names the room's own config file here; the gateway's is PORTHOUSE_CONFIG's.
type CreateOptions = Omit<AdminOptions, 'config'> & BlockOptions

export type ShowOptions = AdminOptions & { readonly reveal?: boolean }

export async function createRoom(
  name: string,
  { url, profile, data, json, ...blocks }: CreateOptions,
): Promise<void> {
  const { account, room: typed } = roomName(name)
  const roomId = newSlug(typed, 'room')
  const config = roomConfig(blocks)
  const where = { ...(url && { url }), ...(profile && { profile }), ...(data && { data }) }
  const parent = accountResource(account)
  const made = await configTold(
    withAdmin(where, (admin) =>
      admin(RoomService).createRoom({ parent, roomId, room: { config } }),
    ),
    blocks.lock !== undefined,
  )
  if (json) return printJson(forScripts(made))
  print(`room ${addressOf(made.name)} is made; ${nextStep(made.name, acceptorsIn(config))}`)
}

/** How somebody gets in. */
function nextStep(name: string, acceptors: readonly string[]): string {
  if (acceptors.length === 0) return 'whoever connects is in'
  const [account, slug] = addressOf(name).split('/')
  const rights = `--room ${slug}:send,receive`
  const client = `client create ${account}/CLIENT`
  const steps: Readonly<Record<string, string>> = {
    token: `give it a token:\n  porthouse token create ${account} ${rights}`,
    key: `give its owner a key:\n  porthouse account key create ${account}`,
    'ssh-key': `give it a client:\n  porthouse ${client} --ssh-key FILE.pub ${rights}`,
    password: `give it a client:\n  porthouse ${client} --password-stdin ${rights} <FILE`,
    preset: `give it a client:\n  porthouse ${client} --preset - ${rights} <FILE`,
  }
  if (acceptors.includes('token') && acceptors.includes('ssh-key')) {
    const byToken = `token create ${account} ${rights} --client DEVICE`
    const device = `client create ${account}/DEVICE --ssh-key FILE.pub ${rights}`
    return `add a device by token or by SSH key:\n  porthouse ${byToken}\n  porthouse ${device}`
  }
  const step = Object.keys(steps).find((acceptor) => acceptors.includes(acceptor))
  if (step) return steps[step]!
  if (acceptors.includes('identity')) return steps['ssh-key']!
  return `see what it asks for:\n  porthouse lock explain ${account}/${slug}`
}

export async function listRooms(account: string, options: AdminOptions): Promise<void> {
  const parent = accountResource(account)
  const rooms = await withAdmin(options, async (admin) => {
    const heads = await everyOf(
      (page) => admin(RoomService).listRooms({ parent, ...page }),
      (page) => page.rooms,
    )
    return options.json ? withConfigs(admin, heads) : heads
  })
  if (options.json) return printJson(rooms.map(forScripts))
  printTable(
    ['room', 'id', 'revision', 'created'],
    rooms.map(({ name, uid, revision, createTime }) => [
      addressOf(name),
      uid,
      String(revision),
      timeOf(createTime!),
    ]),
  )
}

/** How many configs are asked for at once. */
const AT_ONCE = 16

/** A list of rooms has none, for each may hold a schema or a descriptor set. */
async function withConfigs(admin: Admin, heads: readonly Room[]): Promise<Room[]> {
  const rooms: Room[] = []
  for (let i = 0; i < heads.length; i += AT_ONCE) {
    const some = heads.slice(i, i + AT_ONCE).map(({ name }) => admin(RoomService).getRoom({ name }))
    rooms.push(...(await Promise.all(some)))
  }
  return rooms
}

export async function showRoom(typed: string, options: ShowOptions): Promise<void> {
  const { config, ...rows } = forScripts(await readableRoom(typed, options))
  if (options.json) return printJson({ ...rows, config })
  const text = Object.entries(rows).map(([key, value]) => [key, String(value)])
  printTable(
    ['room', `${rows.account}/${rows.slug}`],
    [...text, ['config', JSON.stringify(config)]],
  )
}

export async function deleteRoom(typed: string, options: AdminOptions): Promise<void> {
  const name = roomResource(typed)
  await withAdmin(options, (admin) => admin(RoomService).deleteRoom({ name }))
  if (options.json) return printJson({ deleted: typed })
  print(`room ${typed} is deleted`)
}

/** By ACCOUNT/ROOM. Rejects with a Failure where there is none, or none that can be read. */
export async function readableRoom(typed: string, options: ShowOptions): Promise<Room> {
  const name = roomResource(typed)
  const { reveal: revealSecrets = false } = options
  const room = await withAdmin(options, (admin) =>
    admin(RoomService).getRoom({ name, revealSecrets }),
  )
  if (room.unreadable) throw unreadable(`the config of ${typed}`, typed)
  return room
}

/** As `--json` prints it. */
export function forScripts({ name, uid, revision, createTime, config }: Room) {
  const [account = '', slug = ''] = addressOf(name).split('/')
  return {
    id: uid,
    address: `room:${account}/${slug}`,
    account,
    slug,
    revision,
    createdAt: timeOf(createTime!),
    // Null: of a later version.
    config: config ? shownJson(config, true) : null,
  }
}
