/** WatchTechnical: what happens to sockets, as it happens, with what of it is within a scope. */
import { create, type MessageInitShape } from '@bufbuild/protobuf'
import type { WatchTechnicalResponseSchema } from '@porthouse/proto/admin/v1/technical_service'
import { type Event, type EventKind, EventSchema } from '@porthouse/proto/v1/event'
import { accountIn } from '../../protocol/address.ts'
import { knownAs } from '../../session/identity/known-as.ts'
import type { Session } from '../../session/session.ts'
import { eventOf } from '../../session/technical/happening.ts'
import type { Told } from '../../session/technical/taps.ts'
import { Bell } from '../calls/bell.ts'
import type { LiveParts } from '../parts.ts'
import type { Scope } from '../scope.ts'

export interface TechnicalWatching {
  readonly live: LiveParts
  readonly scope: Scope
  /** Empty: all. */
  readonly kinds: readonly EventKind[]
  /** Events that may wait for the reader. */
  readonly waiting: number
  readonly silenceMs: number
  readonly signal: AbortSignal
}

export async function* watchTechnical(
  watching: TechnicalWatching,
): AsyncGenerator<MessageInitShape<typeof WatchTechnicalResponseSchema>> {
  const { live, scope, waiting: most, silenceMs, signal } = watching
  const { technical, clock } = live.core
  const kinds = new Set(watching.kinds)
  const bell = new Bell(signal)
  let waiting: Event[] = []
  let missed = 0
  const tap = (told: Told) => {
    const { happening, about } = told
    if ((kinds.size > 0 && !kinds.has(happening.kind)) || !isWithin(scope, told)) return
    if (waiting.length >= most) {
      missed += waiting.length
      waiting = []
    }
    const identities = about ? identitiesIn(scope, about) : []
    const event = eventOf(about?.address ?? '', identities, happening, clock())
    waiting.push(create(EventSchema, event))
    bell.ring()
  }
  technical.taps.events.add(tap)
  signal.addEventListener('abort', () => technical.taps.events.delete(tap), { once: true })
  while (!signal.aborted) {
    const told = { events: waiting, missed: BigInt(missed) }
    waiting = []
    missed = 0
    yield told
    await bell.rings(silenceMs)
  }
}

function isWithin({ account, covers }: Scope, { happening, about, account: only }: Told): boolean {
  if (account === undefined) return true
  if (only !== undefined) return covers(only)
  if (happening.place !== undefined) return covers(accountIn(happening.place))
  // Of the gateway itself everybody may know.
  return about === undefined || about.accounts.has(account.id)
}

function identitiesIn({ covers }: Scope, about: Session): string[] {
  const accounts = new Set(about.proofs.flatMap(({ account }) => account?.id ?? []))
  return [...accounts].filter(covers).flatMap((account) => knownAs(about, account))
}
