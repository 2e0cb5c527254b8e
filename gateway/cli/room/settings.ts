/** `porthouse room config`: the config of a room, as a file has it. */
import { RoomService } from '@porthouse/proto/admin/v1/room_service'
import type { Config } from '@porthouse/proto/room/v1/config'
import { shownJson } from '../../rooms/config-secrets.ts'
import { EXIT, Failure } from '../failure.ts'
import { wholeOf } from '../lines.ts'
import { harmless, print, printJson } from '../output.ts'
import { accountResource, addressOf, roomResource } from '../resource.ts'
import { type AdminOptions, withAdmin } from '../with-admin.ts'
import { parseConfig, readConfigFile } from './config.ts'
import { configTold } from './failure.ts'
import { forScripts, readableRoom, type ShowOptions } from './room.ts'

export async function showConfig(typed: string, options: ShowOptions): Promise<void> {
  const { config } = await readableRoom(typed, options)
  const shown = shownJson(config!, true)
  if (options.json) return printJson(shown)
  print(JSON.stringify(shown, null, 2))
}

export async function setConfig(typed: string, file: string, options: AdminOptions): Promise<void> {
  const name = roomResource(typed)
  const config = await configIn(file)
  const room = await configTold(
    withAdmin(options, (admin) => admin(RoomService).updateRoom({ room: { name, config } })),
  )
  if (options.json) return printJson(forScripts(room))
  print(`room ${addressOf(room.name)} has config ${room.revision}`)
}

/** Fails as setting it would. */
export async function checkConfig(
  account: string,
  file: string,
  options: AdminOptions,
): Promise<void> {
  const parent = accountResource(account)
  const config = await configIn(file)
  const { violations } = await withAdmin(options, (admin) =>
    admin(RoomService).checkRoomConfig({ parent, config }),
  )
  const faults = violations.map(({ field, description }) => {
    return { path: field.replace(/^config\./, ''), fault: description }
  })
  if (faults.length > 0) {
    const lines = faults.map(({ path, fault }) => harmless(`${path}: ${fault}`))
    throw new Failure('CONFIG', lines.join('\n'), EXIT.usage)
  }
  if (options.json) return printJson({ faults })
  print('the config may be used')
}

/** `-`: of stdin. Rejects with a Failure where it is none. */
async function configIn(file: string): Promise<Config> {
  if (file !== '-') return readConfigFile(file)
  return parseConfig((await wholeOf(process.stdin)).toString('utf8'), 'stdin')
}
