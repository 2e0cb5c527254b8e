/**
 * What the reference gateway answers by itself, where the case's script does not: one room after
 * another entered, every proof passed, every message taken. It has no other sockets, so nothing is
 * heard that the script does not send.
 */
import { create, type MessageInitShape } from '@bufbuild/protobuf'
import type { Command } from '@porthouse/proto/v1/command'
import type { Envelope } from '@porthouse/proto/v1/envelope'
import { type Frame, FrameSchema, type Hello, type Welcome } from '@porthouse/proto/v1/frame'
import { type Answer, Outcome, VerdictSchema } from '@porthouse/proto/v1/lock_step'
import { ReceiptLevel, ReceiptStatus } from '@porthouse/proto/v1/receipt'
import type { Join, Room, RoomSchema } from '@porthouse/proto/v1/room'
import type { World } from './world.ts'

type Body = MessageInitShape<typeof FrameSchema>['body']
type RoomAction = MessageInitShape<typeof RoomSchema>['action']

const RESUME_MS = 60_000
const EPOCH = 1n

const STATUS: Readonly<Record<number, ReceiptStatus>> = {
  [ReceiptLevel.ACCEPTED]: ReceiptStatus.ACCEPTED,
  [ReceiptLevel.ROUTED]: ReceiptStatus.ROUTED,
  [ReceiptLevel.STORED]: ReceiptStatus.STORED,
}

/** One connection to it. */
export class PlainGateway {
  readonly #world: World
  readonly #welcome: Welcome
  readonly #rooms = new Map<number, string>()
  #asksForResume = false
  #hasProved = false
  #resumed = ''
  #packets = 0

  constructor(world: World, welcome: Welcome) {
    this.#world = world
    this.#welcome = welcome
  }

  /** A packet begins: the second one spends the token that the first one used (PH-4.7). */
  packet(): void {
    if (++this.#packets > 1) this.#world.spend(this.#resumed)
  }

  /** The script gave a route. */
  gave(route: number, address: string): void {
    this.#rooms.set(route, roomOf(address))
  }

  /** Its answer to a frame, and what it pushes then. */
  answer({ id, body }: Frame): Frame[] {
    return this.#bodies(body).map((one) =>
      create(FrameSchema, { id: isPush(one) ? 0 : id, body: one }),
    )
  }

  #bodies(body: Frame['body']): NonNullable<Body>[] {
    switch (body.case) {
      case 'hello':
        return this.#hello(body.value)
      case 'lockStep':
        return body.value.step.case === 'answer' ? this.#proved(body.value.step.value) : []
      case 'envelope':
        return this.#sent(body.value)
      case 'room':
        return this.#room(body.value.action).map((action) => ({ case: 'room', value: { action } }))
      case 'command':
        return [{ case: 'command', value: { action: commandAnswer(body.value.action) } }]
      default:
        return []
    }
  }

  #hello({ capabilities, resume }: Hello): NonNullable<Body>[] {
    this.#asksForResume = capabilities.includes('resume')
    const resumed = this.#world.knows(resume)
    if (resumed) this.#resumed = resume
    const known = capabilities.filter((name) => name === 'resume' || name === 'events')
    const value = { ...this.#welcome, resumed: this.#welcome.resumed || resumed }
    if (value.capabilities.length === 0) value.capabilities = known
    return [{ case: 'welcome', value }, ...(resumed ? this.#resume() : [])]
  }

  #proved({ acceptor }: Answer): NonNullable<Body>[] {
    const values: Record<string, string> =
      acceptor === 'token' ? { token: '00000000-0000-7000-8000-000000000001' } : {}
    const value = create(VerdictSchema, { outcome: Outcome.PASSED, values })
    return [{ case: 'lockStep', value: { step: { case: 'verdict', value } } }, ...this.#resume()]
  }

  /** PH-4.6: once something is proved. */
  #resume(): NonNullable<Body>[] {
    if (!this.#asksForResume || this.#hasProved) return []
    this.#hasProved = true
    const value = { token: this.#world.token(), expiresMs: RESUME_MS }
    return [{ case: 'resume', value }]
  }

  #sent({ routing }: Envelope): NonNullable<Body>[] {
    const { route = 0, to = [], channel = '', receipt = 0, idempotencyKey = '' } = routing ?? {}
    const only = this.#rooms.get(route) ?? (to.length === 1 ? roomOf(to[0]!) : undefined)
    const key = idempotencyKey && `${idempotencyKey} ${route} ${to} ${channel}`
    const value = this.#world.receipt(key, () => ({
      status: STATUS[receipt] ?? ReceiptStatus.REJECTED,
      id: this.#world.uuid(),
      sockets: 1,
      ...(only && { sequence: this.#world.next(only), epoch: EPOCH }),
    }))
    return receipt === 0 ? [] : [{ case: 'receipt', value }]
  }

  #room(action: Room['action']): NonNullable<RoomAction>[] {
    switch (action.case) {
      case 'join':
        return this.#join(action.value)
      case 'leave':
        return [{ case: 'left', value: { address: action.value.address } }]
      case 'fetch': {
        const { address } = action.value
        const lastSequence = this.#world.sequence(roomOf(address))
        const kept = { firstSequence: lastSequence + 1n, lastSequence }
        return [{ case: 'fetched', value: { address, epoch: EPOCH, ...kept } }]
      }
      case 'cursor':
        return [{ case: 'cursor', value: action.value }]
      case 'listMembers':
        return [{ case: 'members', value: {} }]
      default:
        return []
    }
  }

  #join({ address, sendOnly, backlog }: Join): NonNullable<RoomAction>[] {
    const room = roomOf(address)
    const known = [...this.#rooms].find(([, one]) => one === room)
    const route = known?.[0] ?? this.#rooms.size + 1
    this.#rooms.set(route, room)
    const asked = backlog.case === 'after' ? backlog.value.sequence : undefined
    const sequence = bigger(this.#world.sequence(room), asked ?? 0n)
    const entered = { route, address, epoch: EPOCH, sequence, maySend: true, listening: !sendOnly }
    if (backlog.case === undefined) return [{ case: 'joined', value: entered }]
    const value = { ...entered, backlog: { recovered: true, afterSequence: asked ?? sequence } }
    return [
      { case: 'joined', value },
      { case: 'caughtUp', value: { route, address, sequence } },
    ]
  }
}

/** Whatever the question is answered by, it is never an answer to it. */
function isPush(body: NonNullable<Body>): boolean {
  return body.case === 'resume' || (body.case === 'room' && body.value?.action?.case === 'caughtUp')
}

/** It has no sockets to list. */
function commandAnswer({ case: asked }: Command['action']): Command['action'] {
  const answers = {
    listSockets: 'sockets',
    listRooms: 'rooms',
    listClients: 'clients',
    listUnread: 'unread',
    getStats: 'stats',
  } as const
  const kind = answers[asked as keyof typeof answers] ?? 'done'
  return { case: kind, value: {} } as unknown as Command['action']
}

/** The room of a channel; another address as it is. */
function roomOf(address: string): string {
  return /^room:[^/]+\/[^/]+/.exec(address)?.[0] ?? address
}

const bigger = (one: bigint, other: bigint) => (one > other ? one : other)
