/** The program that a room has now: begun, kept, or ended, as its config says. */
import { isDeepStrictEqual } from 'node:util'
import { straight } from '../router/deliver.ts'
import type { RoomProgram, RoomPrograms } from './program.ts'
import type { Room } from './rooms.ts'

/** One whose config is the same goes on with what it remembers. */
export function programOf(
  { program, config, record, place, history }: Room,
  programs: RoomPrograms | undefined,
): RoomProgram | undefined {
  const next = history.intake ?? straight
  if (program && isDeepStrictEqual(program.program, config.program)) {
    program.passTo(next)
    return program
  }
  program?.end()
  if (!config.program || !programs) return undefined
  return programs.attach({ account: record.account, place, program: config.program }, next)
}
