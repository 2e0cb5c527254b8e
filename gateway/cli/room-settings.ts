/** `porthouse room config`: the config of a room, as a file has it. */
import { RoomService } from '@porthouse/proto/admin/v1/room_service'
import { shownJson } from '../rooms/config-secrets.ts'
import { wholeOf } from './lines.ts'
import { print, printJson } from './output.ts'
import { addressOf, roomResource } from './resource.ts'
import { forScripts, readableRoom, type ShowOptions } from './room.ts'
import { parseConfig, readConfigFile } from './room-config.ts'
import { configTold } from './room-failure.ts'
import { type AdminOptions, withAdmin } from './with-admin.ts'

export async function showConfig(typed: string, options: ShowOptions): Promise<void> {
  const { config } = await readableRoom(typed, options)
  const shown = shownJson(config!, true)
  if (options.json) return printJson(shown)
  print(JSON.stringify(shown, null, 2))
}

export async function setConfig(typed: string, file: string, options: AdminOptions): Promise<void> {
  const name = roomResource(typed)
  const config =
    file === '-'
      ? parseConfig((await wholeOf(process.stdin)).toString('utf8'), 'stdin')
      : readConfigFile(file)
  const room = await configTold(
    withAdmin(options, (admin) => admin(RoomService).updateRoom({ room: { name, config } })),
  )
  if (options.json) return printJson(forScripts(room))
  print(`room ${addressOf(room.name)} has config ${room.revision}`)
}
