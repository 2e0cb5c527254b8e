/** Which sockets a list or a watch is about. */
import { isNamed } from '../../locks/proof.ts'
import type { Core } from '../../session/core.ts'
import { isAtDoorOf, isNear } from '../../session/identity/sight.ts'
import type { Session } from '../../session/session.ts'
import { isSeen } from '../../session/walk.ts'
import { CLIENT, ROOM, segments, TOKEN } from '../names.ts'
import type { LiveParts } from '../parts.ts'
import type { Scope } from '../scope.ts'

/** As a request has it: names of resources, `` where it does not matter. */
export interface SocketFilter {
  readonly room: string
  readonly client: string
  readonly token: string
  readonly locked?: boolean | undefined
}

type Test = (session: Session) => boolean

/** Those of a scope that a filter lets through; found where there are fewest. */
export class SocketQuery {
  readonly #live: LiveParts
  readonly #scope: Scope
  readonly #tests: readonly Test[]
  readonly #filter: SocketFilter

  /** Throws Refusal for what cannot be a name. */
  constructor(live: LiveParts, scope: Scope, filter: SocketFilter) {
    this.#live = live
    this.#scope = scope
    this.#filter = filter
    this.#tests = testsOf(live.core, filter)
  }

  has(session: Session): boolean {
    if (session.unseen || !this.#scope.sees(session)) return false
    return this.#tests.every((test) => test(session))
  }

  /** Those that may be it: each is to be asked for with `has`. */
  candidates(): Iterable<Session> {
    const { core } = this.#live
    const { room, client, token } = this.#filter
    const { graph } = core.router
    if (room !== '') {
      const members = graph.place(segments(ROOM, room).join('/'))?.members ?? []
      return [...members].map(({ socket }) => socket as Session)
    }
    if (client !== '') return [...graph.socketsOf(clientAddressOf(client))] as Session[]
    if (token !== '') return core.shares.connectionsOf(segments(TOKEN, token)[1]!)
    return socketsOf(this.#live, this.#scope)
  }
}

function testsOf({ router }: Core, { room, client, token, locked }: SocketFilter): Test[] {
  const tests: Test[] = []
  if (room !== '') {
    const name = segments(ROOM, room, 'room').join('/')
    tests.push(({ memberships }) => {
      const place = router.graph.place(name)
      return place !== undefined && memberships.has(place.route)
    })
  }
  if (client !== '') {
    const address = clientAddressOf(client)
    tests.push(({ names }) => names.has(address))
  }
  if (token !== '') {
    const [account, id] = segments(TOKEN, token, 'token')
    tests.push(({ proofs }) =>
      proofs.some((proof) => {
        return proof.token?.id === id && proof.account && isNamed(proof.account, account)
      }),
    )
  }
  if (locked !== undefined) tests.push(({ stack }) => stack.locks.length > 0 === locked)
  return tests
}

function clientAddressOf(client: string): string {
  return `client:${segments(CLIENT, client, 'client').join('/')}`
}

/** All that a scope sees. */
export function socketsOf({ core, sessions }: LiveParts, scope: Scope): Iterable<Session> {
  return scope.account ? near(core, scope) : sessions.all
}

function near({ accounts, rooms, router }: Core, { account, covers }: Scope): Set<Session> {
  const found = new Set<Session>()
  for (const session of accounts.sessionsOf(account?.id ?? '')) {
    if (!session.unseen) found.add(session)
  }
  for (const { record, place } of rooms.loaded) {
    if (!covers(record.account.id)) continue
    for (const member of place.members) if (isSeen(member)) found.add(member.socket as Session)
  }
  for (const { socket } of router.graph.waiting) {
    const session = socket as Session
    if (isNear(session, covers) || isAtDoorOf(session, covers)) found.add(session)
  }
  return found
}
