/**
 * Before a request is read: who calls, may he call this method, and not too often. What no
 * credentials come with costs nothing more (threats C1, C2).
 */
import { Code as ConnectCode, type HandlerContext } from '@connectrpc/connect'
import { Role } from '@porthouse/proto/admin/v1/options'
import { Code } from '@porthouse/proto/v1/code'
import type { Log } from '../../observe/log.ts'
import { Refusal } from '../../protocol/codes.ts'
import { RateLimit } from '../../protocol/rate-limit.ts'
import { type Authenticate, bearerIn } from '../credentials/authenticate.ts'
import type { Principal } from '../credentials/principal.ts'
import { checkRole } from './access.ts'
import { callKey, remoteKey } from './call.ts'
import { type Counting, codeOf, labelOf } from './counted.ts'
import { connectError, explained } from './errors.ts'

/** Callers whose rates are remembered; beyond it those are forgotten that called longest ago. */
const CALLERS_MAX = 10_000

export interface GateParts extends Counting {
  readonly authenticate: Authenticate
  /** Of one caller, calls; the operator, whose machine it is, has no bound. */
  readonly rate: { readonly perSecond: number; readonly burst: number }
  /** Services that everybody may call, by type name: health, and reflection where it is on. */
  readonly open: ReadonlySet<string>
  /** Those that everybody may call who has credentials. */
  readonly known: ReadonlySet<string>
  readonly uptime: () => number
  readonly log: Log
}

export function gate(parts: GateParts): (context: HandlerContext) => Promise<void> {
  const { authenticate, open, known, log, calls, stopwatch } = parts
  const rates = new Rates(parts)
  return async (context) => {
    const { service, method, requestHeader, values, signal } = context
    if (open.has(service.typeName)) return
    explained(signal)
    const since = stopwatch()
    const remote = values.get(remoteKey)
    try {
      const principal = await authenticate(bearerIn(requestHeader.get('authorization')), remote)
      if (!known.has(service.typeName)) checkRole(method, principal)
      rates.take(principal)
      values.set(callKey, { principal, remote, signal })
    } catch (error) {
      const failed = connectError(error, log)
      calls.done(labelOf(service, method), codeOf(failed), stopwatch() - since)
      // RFC 6750 section 3; gRPC has no use for it and no harm by it.
      if (failed.code === ConnectCode.Unauthenticated)
        failed.metadata.set('www-authenticate', 'Bearer')
      throw failed
    }
  }
}

class Rates {
  readonly #parts: GateParts
  readonly #rates = new Map<string, RateLimit>()

  constructor(parts: GateParts) {
    this.#parts = parts
  }

  /** Throws Refusal RATE_LIMITED. */
  take({ id, role }: Principal): void {
    if (role === Role.OPERATOR) return
    const { rate, uptime } = this.#parts
    const limit = this.#rates.get(id) ?? new RateLimit(rate)
    this.#rates.delete(id)
    this.#rates.set(id, limit)
    const [oldest = id] = this.#rates.keys()
    if (this.#rates.size > CALLERS_MAX) this.#rates.delete(oldest)
    if (limit.take(uptime())) return
    throw new Refusal(Code.RATE_LIMITED, `over ${rate.perSecond} calls a second`)
  }
}
