/**
 * The `header` acceptor: a secret header of the handshake, which proves nobody in particular; or
 * one in which a proxy at a trusted address names the client (R7, threat H14).
 */
import { BlockList, isIP } from 'node:net'
import { z } from 'zod'
import { isSha256Of } from '../../identity/sha256.ts'
import { isUuid, SLUG_CHARS_MAX } from '../../protocol/name.ts'
import type { Acceptor, Handshake, LockContext, LockStep } from '../acceptor.ts'
import { isNamed, type Proof } from '../proof.ts'
import type { AcceptorParts } from './index.ts'
import { optionsOf, sha256Hex } from './options.ts'
import { isOfPlace, isProved } from './proved.ts'
import { passedAs, passedHere, WRONG } from './steps.ts'

/** RFC 9110 section 5.6.2: a token; names in the handshake are in lower case. */
const name = z
  .string()
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/)
  .transform((text) => text.toLowerCase())
  .refine((text) => !TAKEN.has(text), 'a header with a meaning of its own')

/** Headers that browsers and proxies set by themselves. */
const TAKEN = new Set(['cookie', 'host', 'origin', 'connection', 'upgrade', 'x-forwarded-for'])

const trust = z
  .array(z.string())
  .min(1)
  .max(64)
  .transform((networks, context) => {
    const list = new BlockList()
    for (const network of networks) {
      if (addNetwork(list, network)) continue
      context.addIssue({ code: 'custom', message: `${network} is not a network like 10.0.0.0/8` })
    }
    return list
  })

const OPTIONS = z
  .strictObject({ name, value_sha256: sha256Hex.optional(), trust: trust.optional() })
  .refine(
    ({ value_sha256, trust }) => (value_sha256 === undefined) !== (trust === undefined),
    'either value_sha256 or trust, and never both',
  )

type Options = z.output<typeof OPTIONS>

export function headerAcceptor({ store }: Pick<AcceptorParts, 'store'>): Acceptor<Options> {
  return {
    name: 'header',
    ...optionsOf(OPTIONS),
    nominable: false,
    prompt: true,
    finished: (context) =>
      context.options.trust
        ? context.proofs.some((proof) => isNamedBy(proof, context))
        : shows(context) && isProved('header', context),
    begin: (context) => (context.options.trust ? named(context) : secret(context)),
    answer: () => WRONG,
  }

  function secret(context: LockContext<Options>): LockStep {
    return context.place && shows(context) ? passedHere('header', context.place) : WRONG
  }

  async function named({ options, place, socket }: LockContext<Options>): Promise<LockStep> {
    const shown = socket.handshake.headers[options.name]
    if (!place || !isTrusted(options, socket.handshake)) return WRONG
    if (shown === undefined || !isName(shown)) return WRONG
    const client = await store.clients.find(place.account, shown)
    return client ? passedAs('header', client) : WRONG
  }
}

/** The same client, still named as a lock with these options would have it. */
function isNamedBy(
  { acceptor, account, client }: Proof,
  { place, options, socket }: LockContext<Options>,
): boolean {
  const { handshake } = socket
  if (acceptor !== 'header' || !client || !isOfPlace(account, place)) return false
  return isTrusted(options, handshake) && isNamed(client, handshake.headers[options.name] ?? '')
}

function shows({ options, socket }: LockContext<Options>): boolean {
  const shown = socket.handshake.headers[options.name]
  const hash = options.value_sha256
  return hash !== undefined && shown !== undefined && isSha256Of(shown, hash)
}

/** A header given twice arrives as one with a comma, and so names nobody. */
function isName(text: string): boolean {
  return isUuid(text) || (text.length <= SLUG_CHARS_MAX && /^[a-z0-9][a-z0-9-]*$/.test(text))
}

function addNetwork(list: BlockList, network: string): boolean {
  const [address = '', prefix, ...rest] = network.split('/')
  const version = isIP(address)
  if (version === 0 || rest.length > 0) return false
  const family = version === 4 ? 'ipv4' : 'ipv6'
  const bits = version === 4 ? 32 : 128
  const length = prefix === undefined ? bits : /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1
  if (length < 0 || length > bits) return false
  list.addSubnet(address, length, family)
  return true
}

/** By whom the header was sent, which is the peer, whomever that peer speaks for. */
function isTrusted({ trust }: Options, { remote, peer = remote }: Handshake): boolean {
  // An IPv4 peer of a listener for both is written as `::ffff:10.0.0.1`.
  const address = peer.replace(/^::ffff:(?=\d+\.)/i, '')
  const version = isIP(address)
  if (!trust || version === 0) return false
  return trust.check(address, version === 4 ? 'ipv4' : 'ipv6')
}
