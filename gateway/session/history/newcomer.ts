/** What a newcomer gets of a room's last values and session histories (R24). */
import { Replay } from '@porthouse/proto/v1/envelope'
import { matchesChannel } from '../../protocol/channel.ts'
import type { Replayed } from '../../rooms/history/page.ts'
import type { Room } from '../../rooms/rooms.ts'
import type { Membership } from '../../router/place.ts'
import type { Earlier } from './catch-up.ts'

/**
 * Of what he begins to hear: what he has not had, and what his backlog does not bring. `had`: the
 * last position up to which he has had everything; `after`: the one that the backlog begins at.
 */
export function earlierFor(
  { retained, sessionHistory }: Room,
  member: Membership,
  filters: readonly string[],
  { had, after }: { readonly had: number; readonly after: number },
): Earlier[] {
  const before = [...member.filters]
  const isNew = ({ message, channel }: Replayed) =>
    (message.sequence > had || message.sequence === 0) &&
    message.sequence <= after &&
    hears(filters, channel) &&
    !hears(before, channel)
  const values = [...(retained?.all ?? [])].filter(isNew)
  const sent = (sessionHistory?.of(member) ?? []).filter(isNew)
  const ids = new Set(sent.map(({ message }) => message.sequence))
  return [
    ...values
      .filter(({ message }) => !ids.has(message.sequence))
      .map((kept) => ({ kept, replay: Replay.RETAINED })),
    ...sent.map((kept) => ({ kept, replay: Replay.SESSION })),
  ]
}

function hears(filters: readonly string[], channel: string): boolean {
  return filters.some((filter) => filter === '' || matchesChannel(filter, channel))
}
