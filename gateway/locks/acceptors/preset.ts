/** The `preset` acceptor: a predefined challenge and its response, for devices (R4). */
import { createHmac } from 'node:crypto'
import { z } from 'zod'
import { isResponse, PRESET_BYTES_MAX, type PresetData } from '../../identity/presets.ts'
import { isSha256Of } from '../../identity/sha256.ts'
import type { Acceptor, LockContext, LockStep, Response } from '../acceptor.ts'
import type { AcceptorParts } from './index.ts'
import { jsonSchema, readObject, sha256Hex } from './options.ts'
import { byWorth, isProved } from './proved.ts'
import { passedBy, passedHere, WRONG } from './steps.ts'

const NAME = 'preset'
const DECOY_BYTES = 16
const DECOY_SECRET_BYTES = 32

/** The room's own, for sockets whose URL names no client with a preset. */
type Options = { readonly challenge: Buffer; readonly hash: Buffer } | undefined

const OPTIONS = z
  .strictObject({
    challenge: z.string().min(1).max(PRESET_BYTES_MAX).optional(),
    response_sha256: sha256Hex.optional(),
  })
  .refine((own) => (own.challenge === undefined) === (own.response_sha256 === undefined), {
    error: 'challenge and response_sha256 go together',
  })

/** What the last challenge was. */
interface Asked {
  /** As base64. */
  readonly challenge: string
  readonly of: 'client' | 'room'
}

export function presetAcceptor({
  store,
  random,
}: Pick<AcceptorParts, 'store' | 'random'>): Acceptor<Options> {
  const decoySecret = random(DECOY_SECRET_BYTES)
  return {
    name: NAME,
    readOptions,
    optionsSchema: () => jsonSchema(OPTIONS),
    nominable: false,
    prompt: true,
    // A room's own says nothing of another lock with another response.
    finished: ({ proofs, place, now }) => {
      return isProved(NAME, { proofs: proofs.filter(({ account }) => account), place, now })
    },
    async begin(context): Promise<LockStep> {
      const { options: own, socket, now } = context
      const claimed = await claim(context)
      const [preset] = byWorth(claimed?.credentials ?? [], now)
      if (preset) return ask(Buffer.from(dataOf(preset).challenge, 'base64'), 'client')
      if (own) return ask(own.challenge, 'room')
      // Of a client that does not exist no less is asked than of one that does (K14).
      if (context.place && socket.client) return ask(decoyOf(socket.client), 'client')
      return WRONG
    },
    async answer(response, context, state): Promise<LockStep> {
      const asked = state as Asked
      const bytes = bytesOf(response)
      if (!bytes) return WRONG
      if (asked.of === 'room') return judgeOwn(bytes, context)
      const claimed = await claim(context)
      const preset = byWorth(claimed?.credentials ?? [], context.now)
        .filter((each) => dataOf(each).challenge === asked.challenge)
        .find((each) => isResponse(bytes, dataOf(each)))
      return claimed && preset ? passedBy(NAME, claimed.client, preset, context.now) : WRONG
    },
  }

  /** The client that the URL names, if there is such a one in the place's account. */
  async function claim({ place, socket }: LockContext) {
    if (!place || !socket.client) return undefined
    const { account } = place
    return store.clients.claimed(account, socket.client, 'preset')
  }

  function decoyOf(client: string): Buffer {
    return createHmac('sha256', decoySecret).update(client).digest().subarray(0, DECOY_BYTES)
  }
}

function readOptions(options: unknown): Options {
  const { challenge, response_sha256: hash } = readObject(OPTIONS, options)
  if (challenge === undefined || hash === undefined) return undefined
  return { challenge: Buffer.from(challenge), hash }
}

function ask(challenge: Buffer, of: Asked['of']): LockStep {
  const state: Asked = { challenge: challenge.toString('base64'), of }
  return { outcome: 'challenge', ask: { case: 'data', value: challenge }, state }
}

function bytesOf(response: Response): Uint8Array | undefined {
  if (response.case === 'data') return response.value
  return response.case === 'text' ? Buffer.from(response.value) : undefined
}

/** Whoever knows a room's own response is nobody in particular. */
function judgeOwn(response: Uint8Array, { options, place }: LockContext<Options>): LockStep {
  if (!options || !place || !isSha256Of(response, options.hash)) return WRONG
  return passedHere(NAME, place, { values: { place: place.address } })
}

function dataOf({ data }: { readonly data: unknown }): PresetData {
  return data as PresetData
}
