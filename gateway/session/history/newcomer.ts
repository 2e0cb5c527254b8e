/** What a newcomer gets of a room's last values and session histories (R24). */
import { Replay } from '@porthouse/proto/v1/envelope'
import { matchesAny } from '../../protocol/channel.ts'
import type { Room } from '../../rooms/rooms.ts'
import type { OwnMessage } from '../../router/intake.ts'
import type { Membership } from '../../router/membership.ts'
import type { LastValues } from '../entry/waiting.ts'
import type { Session } from '../session.ts'
import { type Earlier, pendingFilters } from './catch-up.ts'

/**
 * Of what he begins to hear: what he has not had, and what his backlog does not bring. `had`: the
 * last position up to which he has had everything; `after`: the one that the backlog begins at;
 * `lastValues`: see EntryRequest.
 */
export function earlierFor(
  session: Session,
  { retained, sessionHistory }: Room,
  member: Membership,
  filters: readonly string[],
  {
    had,
    after,
    lastValues,
  }: {
    readonly had: number
    readonly after: number
    readonly lastValues: LastValues
  },
): Earlier[] {
  const before = [...member.filters, ...pendingFilters(session, member)]
  const isNew = ({ message, channel }: OwnMessage) =>
    (message.sequence > had || message.sequence === 0) &&
    message.sequence <= after &&
    matchesAny(filters, channel) &&
    !matchesAny(before, channel)
  const isAsked = {
    none: () => false,
    all: ({ channel }: OwnMessage) => matchesAny(filters, channel),
    new: isNew,
  }[lastValues ?? 'new']
  const values = [...(retained?.all ?? [])].filter(isAsked)
  const sent = (sessionHistory?.of(member) ?? []).filter(isNew)
  const inBoth = new Set<OwnMessage>(sent)
  return [
    ...values
      .filter((value) => !inBoth.has(value))
      .map((kept) => ({ kept, replay: Replay.RETAINED })),
    ...sent.map((kept) => ({ kept, replay: Replay.SESSION })),
  ]
}
