/** Sockets that command: an account's owner by its key, clients by token; what they are told. */
import { randomBytes, randomUUID } from 'node:crypto'
import type { MessageInitShape } from '@bufbuild/protobuf'
import type { CommandSchema } from '@porthouse/proto/v1/command'
import { type Event, EventKind } from '@porthouse/proto/v1/event'
import type { Frame } from '@porthouse/proto/v1/frame'
import type { Settings } from '../../gateway/config/config.ts'
import { newConnectionKey } from '../../gateway/identity/connection-keys.ts'
import { keyAcceptor } from '../../gateway/locks/acceptors/key.ts'
import { codeInfo } from '../../gateway/protocol/codes.ts'
import type { Store } from '../../gateway/store/store.ts'
import { answer, type FrameInit } from './client-frames.ts'
import { type Guest, Hall } from './hall.ts'
import { brief } from './heard.ts'
import { prove, randomOf } from './key-login.ts'
import type { TokenOptions } from './memory-store.ts'

const GATEWAY = 'https://hub.example'

/** A hall where connection keys are taken as well. */
export function hallWithKeys(settings: Omit<Settings, 'data'> = {}): Hall {
  const late = {
    get credentials() {
      return hall.store.credentials
    },
  }
  const store = late as unknown as Store
  const hall: Hall = new Hall(settings, [
    keyAcceptor({ store, urls: () => [GATEWAY], random: randomBytes }),
  ])
  return hall
}

type Action = NonNullable<MessageInitShape<typeof CommandSchema>['action']>
type ActionOf<Case> = Extract<Action, { case: Case }>

export function command<Case extends Action['case']>(
  id: number,
  kind: Case,
  value: ActionOf<Case>['value'],
): FrameInit {
  return { id, body: { case: 'command', value: { action: { case: kind, value } as Action } } }
}

export function helloForEvents(id = 1): FrameInit {
  return { id, body: { case: 'hello', value: { capabilities: ['events'] } } }
}

/** What was said since the last call, a line a frame; of events what matters of them. */
export async function hears(hall: Hall, guest: Guest): Promise<string[]> {
  await hall.settle()
  return guest.take().map(line)
}

/** The events alone, as they are. */
export async function events(hall: Hall, guest: Guest): Promise<Event[]> {
  await hall.settle()
  return guest.take().flatMap(({ body }) => (body.case === 'event' ? [body.value] : []))
}

export function line(frame: Frame): string {
  const { body, id } = frame
  if (body.case === 'event') return `${id} ${eventLine(body.value)}`
  if (body.case !== 'command') return brief(frame)
  const { action } = body.value
  switch (action.case) {
    case 'sockets': {
      const { sockets, more } = action.value
      const names = sockets.map(({ self, identities }) => `${self ? '*' : ''}${identities}`)
      return `${id} sockets [${names.toSorted().join(' ')}]${more ? ' more' : ''}`
    }
    case 'rooms': {
      const { rooms, more } = action.value
      return `${id} rooms [${rooms.map(({ address }) => address).join(' ')}]${more ? ' more' : ''}`
    }
    default:
      return `${id} ${action.case}`
  }
}

const KINDS = new Map(Object.entries(EventKind).map(([name, kind]) => [kind as number, name]))

export function eventLine({ kind, place, acceptor, code, identities, detail }: Event): string {
  const why = code === 0 ? '' : codeInfo(code).name
  const said = detail === '' ? '' : `"${detail}"`
  const who = identities.length > 0 ? `(${identities.join(' ')})` : ''
  return [KINDS.get(kind), place, acceptor, why, who, said].filter((each) => each).join(' ')
}

/** A socket of a client, or of a token alone, with rights in these rooms; its answers are read. */
export async function client(
  hall: Hall,
  rooms: readonly string[],
  options: TokenOptions & { account?: string; path?: string; events?: boolean } = {},
): Promise<Guest> {
  const { account = 'acme', path, events: listens, ...rest } = options
  const guest = hall.open(path)
  if (listens) guest.say(helloForEvents())
  guest.say(answer(2, hall.store.token(account, rooms, rest)))
  await hall.settle()
  guest.take()
  return guest
}

/** Proves an account's own key, made for it, at the lock that is asked or in the main lobby. */
export async function proveOwner(hall: Hall, guest: Guest, account: string): Promise<void> {
  const key = randomUUID()
  const { secret, data } = newConnectionKey(key, randomBytes(32), randomBytes(16))
  hall.store.credential(account, 'connection-key', { ...data }, { id: key })
  await hall.settle()
  const nonce = new Uint8Array(16).fill(7)
  const start = { key, nonce, gateway: GATEWAY }
  guest.say(answered(101, { case: 'scramStart', value: start }))
  await hall.settle()
  const challenge = guest
    .take()
    .map(({ body }) => (body.case === 'lockStep' ? body.value.step : undefined))
    .find((step) => step?.case === 'challenge' && step.value.ask.case === 'scram')
  if (challenge?.case !== 'challenge' || challenge.value.ask.case !== 'scram') {
    throw new Error('no challenge')
  }
  const { place, ask } = challenge.value
  const { nonce: serverNonce, salt, iterations, socket } = ask.value
  const facts = { gateway: GATEWAY, socket, key, place, clientNonce: nonce }
  const { proof } = prove(randomOf(secret), { ...facts, serverNonce, salt, iterations })
  guest.say(answered(102, { case: 'scramProof', value: { proof } }))
  await hall.settle()
}

type Response = Extract<
  NonNullable<Extract<FrameInit['body'], { case: 'lockStep' }>['value']['step']>,
  { case: 'answer' }
>['value']['response']

function answered(id: number, response: Response): FrameInit {
  const step = { case: 'answer' as const, value: { acceptor: 'key', response } }
  return { id, body: { case: 'lockStep', value: { step } as never } }
}

/** A socket that speaks for the account; its answers are read. */
export async function owner(
  hall: Hall,
  account = 'acme',
  options: { path?: string; events?: boolean } = {},
): Promise<Guest> {
  const guest = hall.open(options.path)
  if (options.events) guest.say(helloForEvents())
  await proveOwner(hall, guest, account)
  guest.take()
  return guest
}
