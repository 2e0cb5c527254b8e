/**
 * Wrong answers to the teleprinter, remembered by the network that they came from and by the
 * identity that was claimed (R17). A network is barred for a while; an identity never is, or
 * strangers could lock its owner out (threat K15): its owner is told instead.
 */
import type { Log } from '../observe/log.ts'
import type { Offence, Offences } from '../store/store.ts'

/** Below it an offence is forgiven: one after a half-life, two after two of them. */
const SCORE_MIN = 0.5

/** How long a store may take before none is known, in milliseconds. */
const WAIT_MS = 2_000

export interface OffencesParts {
  readonly stored: Offences
  /** Milliseconds in which a score halves. */
  readonly halfLifeMs: number
  /** Milliseconds since 1970-01-01 UTC. */
  readonly clock: () => number
  readonly log: Log
}

export class OffenceBook {
  readonly #parts: OffencesParts

  constructor(parts: OffencesParts) {
    this.#parts = parts
  }

  /** How many came from the network of this IP address, if it is barred for them; else 0. */
  from(address: string): Promise<number> {
    return this.#count([networkOf(address)])
  }

  /** How many were given lately in these names, whoever gave them. */
  inName(identities: readonly string[]): Promise<number> {
    return identities.length === 0 ? Promise.resolve(0) : this.#count(identities.map(subjectOf))
  }

  /** One more. Resolves when it is kept, or cannot be: entry is for the locks alone to decide. */
  async add(address: string, identities: readonly string[]): Promise<void> {
    const { stored, halfLifeMs, clock, log } = this.#parts
    const subjects = [networkOf(address), ...new Set(identities.map(subjectOf))]
    try {
      await soon(stored.add(subjects, new Date(clock()), halfLifeMs))
    } catch (error) {
      log.warn({ err: error }, 'an offence could not be kept')
    }
  }

  async #count(subjects: readonly string[]): Promise<number> {
    const { stored, log } = this.#parts
    try {
      const known = await soon(stored.find(subjects))
      const counts = known.filter((offence) => this.#isFresh(offence)).map(({ count }) => count)
      return Math.max(0, ...counts)
    } catch (error) {
      log.warn({ err: error }, 'offences could not be looked up')
      return 0
    }
  }

  #isFresh({ score, at }: Offence): boolean {
    const { halfLifeMs, clock } = this.#parts
    const age = Math.max(0, clock() - at.getTime())
    return score * 0.5 ** (age / halfLifeMs) >= SCORE_MIN
  }
}

/**
 * The subject of an IP address: its /24, or its /64, for one household or office has many
 * addresses. An IPv4 address in IPv6 form is the same as without.
 */
export function networkOf(address: string): string {
  const v4 = /^(?:::ffff:)?(\d+\.\d+\.\d+)\.\d+$/i.exec(address)
  if (v4) return `address:${v4[1]}.0/24`
  const [head = '', tail] = (address.split('%')[0] as string).toLowerCase().split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail ? tail.split(':') : []
  // An address that ends in IPv4 form has one group fewer than it says.
  const groups = left.length + right.length + (address.includes('.') ? 1 : 0)
  const zeros = Array<string>(Math.max(0, 8 - groups)).fill('0')
  const first = [...left, ...(tail === undefined ? [] : zeros), ...right].slice(0, 4)
  return `address:${first.map((group) => group.replace(/^0+(?=.)/, '')).join(':')}::/64`
}

/** The subject of an identity that somebody claims, as an address: `client:…` or `token:…`. */
function subjectOf(identity: string): string {
  return `identity:${identity}`
}

/** Rejects where a promise takes longer than WAIT_MS. */
async function soon<T>(promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`no answer in ${WAIT_MS} ms`)), WAIT_MS)
  try {
    return await Promise.race([promise, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
