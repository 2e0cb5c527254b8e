/**
 * Live effect (R51): what another process changed in the store changes what live sockets may do,
 * within a second. Each change is a reason to read again, never a message to be believed.
 */
import { setImmediate, setTimeout } from 'node:timers/promises'
import { Code } from '@porthouse/proto/v1/code'
import type { Proof } from '../../locks/proof.ts'
import { changedKinds } from '../../rooms/blocks/changed.ts'
import type { Room } from '../../rooms/rooms.ts'
import type { Membership } from '../../router/membership.ts'
import {
  type Change,
  type Grant,
  type RoomRecord,
  type Store,
  StoreError,
} from '../../store/store.ts'
import type { Core } from '../core.ts'
import { enterAdded } from '../entry/entry.ts'
import { joined } from '../entry/listening.ts'
import { become, excess } from '../identity/identity.ts'
import { leftOf } from '../locks/locks.ts'
import type { Session } from '../session.ts'
import type { Key } from './holders.ts'
import { askedOnce, type ProofStore, renewed } from './renew.ts'
import { expel, settleMember, tellChanged } from './tell.ts'
import { Unread } from './unread.ts'

/** How long a start may wait for the store, in milliseconds. */
const START_MS = 2_000

/** Members that are told of a change before others get their turn. */
const MEMBERS_AT_ONCE = 256

const LOCKED = [Code.ENTRY_NOT_PERMITTED, 'the room has another lock now'] as const

const UNUSABLE = 'a config cannot be used here; the one before it stays in force'

type RoomChange = Parameters<typeof tellChanged>[1]

/** What is stored, or a room that a socket was given a right in: `{socket}/{account}/{room}`. */
type Task = Key | `added:${string}`

export class Live {
  readonly #core: Core
  readonly #store: ProofStore & Pick<Store, 'rooms' | 'changes'>
  readonly #unread: Unread<Task>
  #ended = false
  #unwatch: () => Promise<void> = async () => {}

  constructor(core: Core, store: Store) {
    this.#core = core
    this.#store = store
    this.#unread = new Unread<Task>(
      (task) => this.#read(task),
      (error, task) => core.log.warn({ err: error, task }, 'what changed cannot be read, for now'),
    )
    core.holders.review = (keys) => {
      for (const key of keys) this.#unread.add(key)
    }
  }

  /** Resolves when it watches, or is not to be waited for since the store is away. */
  async start(): Promise<void> {
    const watching = this.#store.changes
      .watch((change) => this.#note(change))
      .then((unwatch) => {
        this.#unwatch = unwatch
        if (this.#ended) return unwatch()
        this.#note(undefined)
      })
    await Promise.race([watching, setTimeout(START_MS, undefined, { ref: false })])
  }

  async stop(): Promise<void> {
    this.#ended = true
    this.#unread.end()
    await this.#unwatch()
  }

  #note(change: Change | undefined): void {
    if (this.#ended) return
    const { holders, rooms } = this.#core
    holders.told++
    if (change) return this.#unread.add(`${change.kind}:${change.id}`)
    // Some changes may have been missed.
    for (const key of holders.keys) this.#unread.add(key)
    for (const { record } of rooms.loaded) this.#unread.add(`room:${record.id}`)
  }

  async #read(task: Task): Promise<void> {
    const [kind, id = ''] = task.split(':')
    if (kind === 'added') return this.#enterAdded(id)
    if (kind === 'room') return this.#renewRoom(id)
    // All before anything is read, so that what was proved later is not judged by what was before.
    const held = [...this.#core.holders.of(task as Key)].map((session) => {
      return { session, before: session.proofs }
    })
    const store = askedOnce(this.#store)
    for (const { session, before } of held) {
      const proofs = await Promise.all(before.map((proof) => renewed(store, proof)))
      if (session.closed) continue
      // Meanwhile it may have proved more; then it is looked at once more.
      if (session.proofs !== before) this.#unread.add(task)
      else this.#apply(session, proofs)
    }
  }

  #apply(session: Session, proofs: readonly (Proof | undefined)[]): void {
    if (proofs.some((proof) => !proof)) {
      return session.drop(Code.REVOKED, 'what was proved no longer holds')
    }
    const before = session.proofs.flatMap(({ grants }) => grants)
    become(session, proofs as Proof[])
    const refusal = excess(session)
    if (refusal) return session.drop(refusal.code, refusal.detail)
    for (const member of [...session.memberships.values()]) settleMember(session, member)
    for (const { account, grants } of session.proofs) {
      for (const grant of account ? grants : []) {
        if (before.some(({ roomId }) => roomId === grant.roomId) || !mayEnter(grant)) continue
        this.#unread.add(`added:${session.id}/${account?.id}/${grant.roomId}`)
      }
    }
  }

  /** The socket may be gone by now, and so may the right. */
  async #enterAdded(task: string): Promise<void> {
    const [socket, account = '', room = ''] = task.split('/')
    const session = this.#core.router.graph.socket(socket ?? '') as Session | undefined
    if (!session) return
    try {
      await enterAdded(session, { kind: 'room', account, room })
    } catch (error) {
      if (isPassing(error)) throw error
      const where = { socket, room: `${account}/${room}` }
      this.#core.log.warn({ ...where, err: error }, 'a room was not entered')
    }
  }

  async #renewRoom(id: string): Promise<void> {
    const { rooms } = this.#core
    // What is just being loaded may have been read before the change.
    await rooms.settled()
    const room = rooms.byId(id)
    if (!room) return
    const record = await this.#find(room)
    if (rooms.byId(id) !== room) return
    if (!record) rooms.forget(room)
    const changed = record && (await this.#configure(room, record))
    await this.#eachMember(room, (session, member) => {
      if (!record) return expel(session, member, Code.ROOM_UNKNOWN, 'the room was deleted')
      if (changed) {
        tellChanged(session, changed)
        if (isLocked(session, room)) return expel(session, member, ...LOCKED)
      }
      settleMember(session, member)
    })
  }

  /** As it is stored; as it was where its config is one that this version cannot read. */
  async #find(room: Room): Promise<RoomRecord | undefined> {
    const { id, account } = room.record
    try {
      return await this.#store.rooms.find(account.id, id)
    } catch (error) {
      if (isPassing(error)) throw error
      this.#core.log.error({ room: room.place.name, err: error }, UNUSABLE)
      return room.record
    }
  }

  /**
   * Takes a changed config over and says what is to be told of it; undefined: it is the same, or
   * one that cannot be used here, and what was in force stays so.
   */
  async #configure(room: Room, record: RoomRecord): Promise<RoomChange | undefined> {
    const { config, revision: old } = room.record
    const { address, name } = room.place
    const { revision } = record
    if (revision === old) return undefined
    try {
      // Sequences of another epoch would be taken for those of the one that was told last.
      const tell = (session: Session, member: Membership) => joined(session, 0, member)
      const renumbered = () => this.#eachMember(room, tell)
      await this.#core.rooms.configure(room, record, renumbered)
      return { address, revision, blocks: changedKinds(config, record.config) }
    } catch (error) {
      if (isPassing(error)) throw error
      this.#core.log.error({ room: name, revision, err: error }, UNUSABLE)
      return undefined
    }
  }

  /** Those who are in it, some at a time, so that nobody else waits for a large room. */
  async #eachMember(
    { place }: Room,
    does: (session: Session, member: Membership) => void,
  ): Promise<void> {
    for (const [i, member] of [...place.members].entries()) {
      if (i % MEMBERS_AT_ONCE === MEMBERS_AT_ONCE - 1) await setImmediate()
      if (place.members.has(member)) does(member.socket as Session, member)
    }
  }
}

/** Whether it may be read a moment later. */
function isPassing(error: unknown): boolean {
  return error instanceof StoreError && error.failure !== 'unreadable'
}

function mayEnter({ send, receive }: Grant): boolean {
  return send || receive
}

/** Whether its locks would be set for somebody who came now with what the socket has proved. */
function isLocked(session: Session, { config, place }: Room): boolean {
  return config.flow !== undefined && leftOf(session, config.flow, place.address) !== undefined
}
