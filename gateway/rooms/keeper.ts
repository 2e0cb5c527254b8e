/** Who keeps a room's messages: everything that its config asks for, behind one interface. */
import type { Keeper } from '../router/intake.ts'
import type { Room } from './rooms.ts'

/** Undefined where nothing of it is kept, and its messages need no memory of their own. */
export function keeperOf({ history }: Room, others: readonly Keeper[] = []): Keeper | undefined {
  const keepers = history.kind === 'none' ? others : [history, ...others]
  const [only] = keepers
  if (keepers.length <= 1) return only
  return {
    refuses(sender, channel, envelope) {
      for (const keeper of keepers) {
        const refusal = keeper.refuses(sender, channel, envelope)
        if (refusal) return refusal
      }
      return undefined
    },
    keep(message) {
      for (const keeper of keepers) keeper.keep(message)
    },
  }
}
