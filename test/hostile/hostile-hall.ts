/** A hall whose rooms may have any lock that needs no other machine, and flows to guard them by. */
import { createHash, randomBytes } from 'node:crypto'
import type { JsonObject } from '@bufbuild/protobuf'
import type { Block } from '@porthouse/proto/room/v1/config'
import type { Settings } from '../../gateway/config/config.ts'
import type { Acceptor } from '../../gateway/locks/acceptor.ts'
import { identityAcceptor } from '../../gateway/locks/acceptors/identity.ts'
import { presetAcceptor } from '../../gateway/locks/acceptors/preset.ts'
import { ttyAcceptor } from '../../gateway/locks/acceptors/tty.ts'
import { urlAcceptor } from '../../gateway/locks/acceptors/url.ts'
import type { Store } from '../../gateway/store/store.ts'
import type { FrameInit } from '../support/client-frames.ts'
import { type Guest, Hall } from '../support/hall.ts'

export function hostileHall(settings: Omit<Settings, 'data'> = {}): Hall {
  const store = {
    get clients() {
      return hall.store.clients
    },
  } as unknown as Store
  const parts = {
    acceptors: () => hall.core?.acceptors ?? new Map(),
    defaults: { tries: 3, deadlineMs: 10_000 },
  }
  const own = [
    presetAcceptor({ store, random: randomBytes }),
    ttyAcceptor(),
    urlAcceptor(),
    identityAcceptor(parts),
  ]
  const hall: Hall = new Hall(settings, own as unknown as Acceptor[])
  return hall
}

export interface Flow {
  readonly kind: object
}

export function lock(acceptor: string, options: JsonObject = {}, deadlineMs = 0): Flow {
  return { kind: { case: 'lock', value: { acceptor, options, deadlineMs } } }
}

/** A room's own preset, by its response. */
export function preset(response: string): Flow {
  return lock('preset', { challenge: 'who?', response_sha256: sha256(response) })
}

export function tty(answer: string): Flow {
  return lock('tty', { prompts: [{ text: 'word?', answer_sha256: sha256(answer) }] })
}

export const all = (...flows: Flow[]): Flow => ({ kind: { case: 'all', value: { flows } } })
export const any = (...flows: Flow[]): Flow => ({ kind: { case: 'any', value: { flows } } })

export function guarded(flow: Flow, visitors?: object): Block['kind'] {
  return { case: 'access', value: { locks: [], flow, ...(visitors && { visitors }) } as never }
}

export function says(id: number, acceptor: string, value: string, to = ''): FrameInit {
  const step = { case: 'answer', value: { acceptor, response: { case: 'text', value } } } as const
  return { id, body: { case: 'lockStep', value: { lock: to, step } } }
}

/** What was said to it since the last call, a line a frame. */
export async function hears(hall: Hall, guest: Guest): Promise<string[]> {
  await hall.settle()
  return guest.heard()
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
