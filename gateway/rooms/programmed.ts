/** The program that a room has now: begun, kept, or ended, as its config says. */
import { isDeepStrictEqual } from 'node:util'
import { straight } from '../router/deliver.ts'
import { intakeOf } from './keeper.ts'
import type { RoomProgram, RoomPrograms } from './program.ts'
import type { Room } from './rooms.ts'

/** One whose config is the same goes on with what it remembers. */
export function programOf(room: Room, programs: RoomPrograms | undefined): RoomProgram | undefined {
  const { program, config, record, place } = room
  const next = intakeOf(room) ?? straight
  if (program && isDeepStrictEqual(program.program, config.program)) {
    program.passTo(next)
    return program
  }
  program?.end()
  if (!config.program || !programs) return undefined
  return programs.attach({ account: record.account, place, program: config.program }, next)
}
