/**
 * Who comes to a room and who goes, told to its members (R23). Changes of some time go out as one
 * frame, encoded once a lane; of a large room only how many are there, and the more rarely the
 * larger it is: so no room costs more frames a second than one of as many members as its config
 * lets be told by name.
 */
import { create } from '@bufbuild/protobuf'
import { type Frame, FrameSchema } from '@porthouse/proto/v1/frame'
import type { Member } from '@porthouse/proto/v1/room'
import type { PresenceConfig } from '../../rooms/config.ts'
import type { Room } from '../../rooms/rooms.ts'
import type { Membership } from '../../router/membership.ts'
import type { Place } from '../../router/place.ts'
import { memberName } from '../identity/known-as.ts'
import { Notice } from '../outbox/notice.ts'
import type { Session } from '../session.ts'
import { Changes, memberOf } from './changes.ts'

/** Names that are told at once; of more, whoever needs to know them lists them. */
const CHANGES_MAX = 1_024

/** Who came and who went in one frame, each; of more there are several. */
const NAMES_MAX = 256

/** Runs a function after so many milliseconds. */
export type After = (ms: number, run: () => void) => void

/** Who is in a room, as members may know it now. */
export interface Listing {
  /** In order. */
  readonly names: readonly string[]
  memberOf(name: string): Member
}

export class Presence {
  readonly #after: After
  /** Of rooms where somebody came or went since it was told last. */
  readonly #changes = new Map<Place, Changes>()
  /** Names in order, of rooms that were listed since they were told last: to sort is dear. */
  readonly #listed = new WeakMap<Place, readonly string[]>()
  readonly #watching = new WeakSet<Membership>()

  constructor(after: After) {
    this.#after = after
  }

  /** He came, or what he may do was settled anew and he may go by another name now. */
  settled(member: Membership): void {
    this.#rename(member, memberName(member))
  }

  /** He is about to leave the room. */
  left(member: Membership): void {
    this.#rename(member, '')
  }

  /** He is to be told from now on, as long as the room tells and he may listen there. */
  watch(member: Membership): void {
    this.#watching.add(member)
  }

  /** Who is there, as those were told who are told of changes. */
  listing(place: Place): Listing {
    const changes = this.#changes.get(place) ?? new Changes(place.occupancy.room)
    const names = this.#listed.get(place) ?? changes.told.sort()
    this.#listed.set(place, names)
    return { names, memberOf: (name) => memberOf(name, changes.socketsTold(name)) }
  }

  #rename(member: Membership, name: string): void {
    const { place } = member
    if (member.name === name) return
    const rename = () => place.occupancy.rename(member, name)
    const room = (member.socket as Session).core.rooms.at(place)
    const { presence } = room.config
    if (!presence) {
      this.#listed.delete(place)
      return rename()
    }
    const names = [member.name, name].filter((each) => each !== '')
    this.#changesIn(room, presence).during(names, rename)
  }

  #changesIn(room: Room, { members, intervalMs }: PresenceConfig): Changes {
    const { place } = room
    const known = this.#changes.get(place)
    if (known) return known
    const changes = new Changes(place.occupancy.room)
    this.#changes.set(place, changes)
    const rarer = Math.max(1, Math.ceil(place.occupancy.room.names / members))
    this.#after(intervalMs * rarer, () => this.#tell(room, changes))
    return changes
  }

  #tell({ place, config: { presence } }: Room, changes: Changes): void {
    this.#changes.delete(place)
    this.#listed.delete(place)
    if (!presence) return
    const frames = framesOf(place, changes, presence)
    if (frames.length === 0) return
    const notices = frames.map((frame) => new Notice([frame]))
    // Who has left is not heard afterwards.
    place.flush()
    for (const member of place.members) {
      if (!this.#watching.has(member) || member.hears.length === 0) continue
      const { outbox } = member.socket as Session
      for (const notice of notices) outbox.told(notice)
    }
  }
}

/**
 * In names, where all of them were told and are few, and so are the changes; else the number alone,
 * if it is another, or if names that were told before are void by it.
 */
function framesOf(
  { route }: Place,
  { change }: Changes,
  { members: namesMax }: PresenceConfig,
): Frame[] {
  const { joined, left, before, count } = change
  if (Math.max(before, count) > namesMax) {
    return before === count ? [] : [frameOf({ route, count })]
  }
  if (joined.length + left.length > CHANGES_MAX) return [frameOf({ route, count })]
  const frames: Frame[] = []
  for (let at = 0; at < Math.max(joined.length, left.length); at += NAMES_MAX) {
    const to = at + NAMES_MAX
    const names = { joined: joined.slice(at, to), left: left.slice(at, to) }
    frames.push(frameOf({ route, count, ...names }))
  }
  return frames
}

function frameOf(value: {
  readonly route: number
  readonly count: number
  readonly joined?: Member[]
  readonly left?: string[]
}): Frame {
  return create(FrameSchema, {
    body: { case: 'room', value: { action: { case: 'presence', value } } },
  })
}
