/** Block program: the room's own code (R25). */
import { Otherwise, OtherwiseSchema, type Program } from '@porthouse/proto/room/v1/program'
import type { Fault } from '../../locks/fault.ts'
import type { RoomConfig } from '../config.ts'
import { atMost, known } from './bounds.ts'

const MODULE = /^[a-z0-9-]{1,64}$/
const BUDGET_MS = 50
const BUDGET_MS_MAX = 5_000

export function readProgram(program: Program | undefined): Pick<RoomConfig, 'program'> {
  if (!program) return { program: undefined }
  const { module, options, budgetMs, otherwise } = program
  return {
    program: {
      module,
      options: options ?? {},
      budgetMs: budgetMs || BUDGET_MS,
      otherwise: otherwise === Otherwise.PASS ? 'pass' : 'reject',
    },
  }
}

export function* checkProgram({ module, budgetMs, otherwise }: Program): Iterable<Fault> {
  if (!MODULE.test(module)) yield { path: 'module', reason: 'not 1 to 64 of a-z, 0-9 and -' }
  yield* atMost('budgetMs', budgetMs, BUDGET_MS_MAX)
  yield* known('otherwise', otherwise, OtherwiseSchema)
}
