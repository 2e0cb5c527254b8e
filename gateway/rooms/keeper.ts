/**
 * Who keeps a room's messages: everything that its config asks for, behind one interface; and what
 * they have to pass for it, after the room's program.
 */
import type { Intake, Keeper } from '../router/intake.ts'
import type { Room } from './rooms.ts'

/** Undefined where nothing of it is kept, and its messages need no memory of their own. */
export function keeperOf({ history, sessionHistory, retained, away }: Room): Keeper | undefined {
  const others = [sessionHistory, retained, away?.active ? away : undefined].filter(
    (each) => each !== undefined,
  )
  if (history.kind === 'none' && others.length === 0) return undefined
  const keepers: readonly Keeper[] = [history, ...others]
  return {
    refuses(sender, channel, envelope) {
      for (const keeper of others) {
        const refusal = keeper.refuses(sender, channel, envelope)
        if (refusal) return refusal
      }
      return undefined
    },
    keep(message, sender) {
      let kept = false
      for (const keeper of keepers) kept = keeper.keep(message, sender) || kept
      return kept
    },
  }
}

/** Undefined where nothing is stored of them. */
export function intakeOf({ history, away }: Room): Intake | undefined {
  return history.intake ?? (away?.active ? away.intake : undefined)
}
