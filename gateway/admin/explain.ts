/** Why? (R49) What became of a message, and what would become of one. */
import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import type { ServiceImpl } from '@connectrpc/connect'
import type { ExplainSendRequest, ExplainService } from '@porthouse/proto/admin/v1/explain_service'
import { Step, TrailSchema, Verdict } from '@porthouse/proto/admin/v1/trail'
import { RoutingSchema } from '@porthouse/proto/v1/envelope'
import { ReceiptStatus } from '@porthouse/proto/v1/receipt'
import { Refusal } from '../protocol/codes.ts'
import type { Limits } from '../protocol/limits.ts'
import { isUuid } from '../protocol/name.ts'
import type { Trail } from '../router/trail.ts'
import { isOwned } from '../session/identity/sight.ts'
import { rehearse } from '../session/rehearsal.ts'
import type { Session } from '../session/session.ts'
import type { Account } from '../store/store.ts'
import { type Sight, stepsOf, type TrailStep } from '../why/steps.ts'
import { theAccount } from './accounts.ts'
import { callOf } from './calls/call.ts'
import type { Principal } from './credentials/principal.ts'
import { proofsOf } from './flows/proofs.ts'
import { theLive } from './live.ts'
import { segments, unknownResource } from './names.ts'
import type { AdminParts } from './parts.ts'

/** UNIX time in milliseconds, at the beginning of a UUIDv7. */
const TIME_BYTES = 6

export function explainService(parts: AdminParts): ServiceImpl<typeof ExplainService> {
  const { store, flows, emptyCore, clock } = parts
  return {
    async explainMessage({ name }, context) {
      const { principal } = callOf(context)
      const [id = ''] = segments('messages/*', name)
      const trail = isUuid(id) ? theLive(parts).core.trails?.find(idOf(id)) : undefined
      if (!trail || !mayAsk(principal, trail)) throw unknownResource(name)
      return shown(trail, name, stepsOf(trail, sightOf(principal, trail)))
    },

    async explainSend(request, context) {
      const { principal } = callOf(context)
      const account = await theAccount(store.accounts, request.parent)
      const { core } = theLive(parts)
      const sender = request.socket
        ? socketOf(
            core.router.graph.socket(segments('sockets/*', request.socket)[0] ?? ''),
            account,
          )
        : await proofsOf(store, account.id, request, clock())
      if (!sender) throw unknownResource(request.socket)
      const rehearsal = { core, alone: emptyCore(), stored: store.rooms, flows }
      try {
        const { outcome, trail } = await rehearse(
          rehearsal,
          sender,
          envelopeOf(request, core.options.limits),
        )
        const steps = stepsOf(trail, sightOf(principal, trail))
        return { status: outcome.status, trail: shown(trail, '', [SCANNED, ...steps]) }
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        return { status: ReceiptStatus.REJECTED, trail: { steps: [refusedAtOnce(error)] } }
      }
    },
  }
}

const SCANNED: TrailStep = { step: Step.SCAN, verdict: Verdict.PASSED }

/** Before it would have got to the router. */
function refusedAtOnce({ code, detail, decidedBy }: Refusal): TrailStep {
  return { step: Step.SCAN, verdict: Verdict.REFUSED, code, detail, decidedBy }
}

/** One that is somebody in the account, or nobody anywhere and in one of its rooms. */
function socketOf(found: unknown, { slug }: Account): Session | undefined {
  const session = found as Session | undefined
  return session && isOwned(session, (account) => account === slug) ? session : undefined
}

function envelopeOf(request: ExplainSendRequest, { payloadBytes }: Limits) {
  const { to, idempotencyKey, receipt, retain, content, contentType } = request
  const routing = create(RoutingSchema, { to, idempotencyKey, receipt, retain })
  if (content.case !== 'contentBytes') return { routing, contentType, content }
  // One byte too many is as bad as all of them, and takes less.
  const value = new Uint8Array(Math.min(content.value, payloadBytes + 1))
  return { routing, contentType, content: { case: 'payload' as const, value } }
}

/** Those who sent it, and those whom it was sent to; to all others it never was (threat A15). */
function mayAsk({ account }: Principal, { accounts, legs }: Trail): boolean {
  if (!account) return true
  return accounts.has(account.slug) || legs.some(({ place }) => accountOf(place) === account.slug)
}

/**
 * What an account may know: all of what went to its places, and of what its own sent elsewhere what
 * the sender was told.
 */
function sightOf({ account }: Principal, { accounts }: Trail): Sight {
  return ({ place }) => {
    if (!account || accountOf(place) === account.slug) return 'all'
    if (!accounts.has(account.slug)) return 'nothing'
    return place === '' ? 'all' : 'outcome'
  }
}

function accountOf(place: string): string {
  return place.slice(0, place.indexOf('/'))
}

function shown(
  trail: Trail,
  name: string,
  steps: TrailStep[],
): MessageInitShape<typeof TrailSchema> {
  const { id, socket, contentBytes, traceparent, furtherLosses } = trail
  return create(TrailSchema, {
    name,
    ...(name !== '' && { acceptTime: timestampFromMs(id.bytes.readUIntBE(id.at, TIME_BYTES)) }),
    socket: name === '' ? '' : `socket:${socket}`,
    contentBytes,
    steps,
    traceId: /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(traceparent)?.[1] ?? '',
    furtherLosses,
  })
}

function idOf(uuid: string) {
  return { bytes: Buffer.from(uuid.replaceAll('-', ''), 'hex'), at: 0 }
}
