/** Why a message reached nobody: as far as that is plain without a look at every member. */
import type { DirectDestination, GroupDestination } from './destination.ts'
import { hearsItself, type Membership } from './membership.ts'
import type { Place } from './place.ts'
import type { Leg } from './trail.ts'

/** Members that are looked at. */
const MEMBERS_SEEN = 32

/** Of a message to a room; `channel` is `` for the room itself. */
export function unheardInRoom(leg: Leg, place: Place, channel: string, sender: Membership): void {
  const { members } = place
  const others = members.size - (members.has(sender) ? 1 : 0)
  const isOnlyHim = place.audiencesOf(channel).length > 0
  if (isOnlyHim && !hearsItself(sender, channel)) {
    leg.unheard(
      'only its sender listens there, and does not hear itself',
      place.line('echo', 'enabled'),
    )
  } else if (others === 0) leg.unheard('nobody else is in the room', '')
  else if (!someMayHear(members))
    leg.unheard('nobody in the room has the right to receive', place.line('access'))
  else if (channel === '') leg.unheard('nobody in the room listens to the room itself', '')
  else leg.unheard('nobody in the room listens to this channel', '')
}

/** Of a message to a socket, a client, a group or a lock. */
export function unheardBy(leg: Leg, destination: DirectDestination | GroupDestination): void {
  if (destination.kind === 'group') leg.unheard('nobody but its sender is in the group', '')
  else leg.unheard('no socket goes by that address that its sender may reach', '')
}

function someMayHear(members: ReadonlySet<Membership>): boolean {
  let seen = 0
  for (const { hears } of members) if (hears.length > 0 || ++seen >= MEMBERS_SEEN) return true
  return false
}
