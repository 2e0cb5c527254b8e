/** A room's program as a sender: a member whom nobody sees, and who hears nothing. */
import { UNCOUNTED } from '../observe/counts.ts'
import type { FrameWriter, Lane } from '../router/lane.ts'
import { type Membership, newMembership } from '../router/membership.ts'
import type { Place } from '../router/place.ts'
import { type Socket, UNMARKED } from '../router/socket.ts'

const NO_LANE: Lane = {
  name: 'none',
  medium: 'none',
  writer(): FrameWriter {
    throw new Error('a program has no connection')
  },
}

export function programMember(place: Place): Membership {
  const socket: Socket = {
    id: '',
    mark: UNMARKED,
    lane: NO_LANE,
    tally: UNCOUNTED,
    actors: [],
    accounts: new Set(),
    client: undefined,
    names: new Map(),
    memberships: new Map(),
    target: undefined,
    deliver() {},
    direct() {},
  }
  return newMembership(socket, place, place.address)
}
