/**
 * Live effect (R51): what another process changed in the store changes what live sockets may do,
 * within a second. Each change is a reason to read again, never a message to be believed; what
 * cannot be read is tried again until it can.
 */
import { setTimeout } from 'node:timers/promises'
import { Code } from '@porthouse/proto/v1/code'
import type { Proof } from '../locks/proof.ts'
import type { Room } from '../rooms/rooms.ts'
import type { Change, Grant, Store } from '../store/store.ts'
import type { Core } from './core.ts'
import { enterAdded, joined } from './entry.ts'
import type { Key } from './holders.ts'
import { become } from './identity.ts'
import { leaveRoom, settle } from './membership.ts'
import { renewed } from './renew.ts'
import type { Session } from './session.ts'

/** How long a start may wait for the store, in milliseconds. */
const START_MS = 2_000

/** Between two attempts to read what could not be read, in milliseconds. */
const RETRY_MS = 250

export class Live {
  readonly #core: Core
  readonly #store: Store
  readonly #sessions: () => Iterable<Session>
  /** What is to be read again, each once however often it changed. */
  readonly #changed = new Set<Key>()
  #reading = false
  #ended = false
  #unwatch: () => Promise<void> = async () => {}

  constructor(core: Core, store: Store, sessions: () => Iterable<Session>) {
    this.#core = core
    this.#store = store
    this.#sessions = sessions
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
    await this.#unwatch()
  }

  #note(change: Change | undefined): void {
    if (change) this.#changed.add(`${change.kind}:${change.id}`)
    else this.#noteAll()
    if (this.#reading || this.#ended) return
    this.#reading = true
    void this.#read().finally(() => {
      this.#reading = false
    })
  }

  /** Some changes may have been missed. */
  #noteAll(): void {
    for (const key of this.#core.holders.keys) this.#changed.add(key)
    for (const { record } of this.#core.rooms.loaded) this.#changed.add(`room:${record.id}`)
  }

  async #read(): Promise<void> {
    while (!this.#ended) {
      const [key] = this.#changed
      if (key === undefined) return
      this.#changed.delete(key)
      try {
        await this.#renew(key)
      } catch (error) {
        this.#core.log.warn({ err: error, key }, 'a change could not be read')
        this.#changed.add(key)
        await setTimeout(RETRY_MS, undefined, { ref: false })
      }
    }
  }

  async #renew(key: Key): Promise<void> {
    const [kind, id = ''] = key.split(':')
    if (kind === 'room') return this.#renewRoom(id)
    for (const session of [...this.#core.holders.of(key)]) {
      const before = session.proofs
      const proofs = await Promise.all(before.map((proof) => renewed(this.#store, proof)))
      // Meanwhile it may have ended, or proved more; then it is looked at once more.
      if (session.closed) continue
      if (session.proofs !== before) this.#changed.add(key)
      else this.#apply(session, proofs)
    }
  }

  #apply(session: Session, proofs: readonly (Proof | undefined)[]): void {
    if (proofs.some((proof) => !proof)) {
      return session.drop(Code.REVOKED, 'what was proved no longer holds')
    }
    const before = session.proofs.flatMap(({ grants }) => grants)
    become(session, proofs as Proof[])
    if (overShare(session)) return session.drop(Code.SHARE_LIMIT, 'the token has too many')
    for (const member of [...session.memberships.values()]) this.#settle(session, member)
    const after = session.proofs.flatMap((proof) => (proof.account ? [proof] : []))
    for (const { account, grants } of after) {
      for (const grant of grants) {
        if (before.some(({ roomId }) => roomId === grant.roomId) || !mayEnter(grant)) continue
        enterAdded(session, { kind: 'room', account: account?.id ?? '', room: grant.roomId })
      }
    }
  }

  #settle(session: Session, member: Parameters<typeof settle>[1]): void {
    const change = settle(session, member)
    if (change === 'changed') joined(session, 0, member, undefined)
    if (change === 'lost') expel(session, member, Code.ENTRY_NOT_PERMITTED)
  }

  async #renewRoom(id: string): Promise<void> {
    const room = [...this.#core.rooms.loaded].find(({ record }) => record.id === id)
    if (!room) return
    const record = await this.#store.rooms.find(room.record.account.id, id)
    if (record) this.#core.rooms.configure(room, record)
    for (const session of this.#membersOf(room)) {
      const member = session.memberships.get(room.place.route)
      if (!member) continue
      if (record) this.#settle(session, member)
      else expel(session, member, Code.ROOM_UNKNOWN)
    }
  }

  #membersOf({ place }: Room): Session[] {
    return [...this.#sessions()].filter(({ memberships }) => memberships.has(place.route))
  }
}

function mayEnter({ send, receive }: Grant): boolean {
  return send || receive
}

/** Connections beyond a maximum that was lowered go, the highest numbers first to be over it. */
function overShare(session: Session): boolean {
  return session.proofs.some(({ token }) => {
    if (token?.maxConnections === undefined) return false
    return session.core.shares.numberOf(token.id, session) > token.maxConnections
  })
}

function expel(session: Session, member: Parameters<typeof leaveRoom>[1], code: Code): void {
  const { address } = member.place
  leaveRoom(session, member)
  session.send(0, { case: 'room', value: { action: { case: 'left', value: { address, code } } } })
}
