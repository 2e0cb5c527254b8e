/** The `knock` acceptor: somebody inside, with the right to, lets the socket in, or not (R18). */
import { create } from '@bufbuild/protobuf'
import { Code } from '@porthouse/proto/v1/code'
import { PromptsSchema } from '@porthouse/proto/v1/lock_step'
import { z } from 'zod'
import { DETAIL_BYTES_MAX } from '../../protocol/limits.ts'
import type { Acceptor, LockStep, Response } from '../acceptor.ts'
import type { AcceptorParts } from './index.ts'
import { optionsOf } from './options.ts'
import { isProved } from './proved.ts'
import { failed, passedHere, WRONG } from './steps.ts'

const NAME = 'knock'

/** In characters. */
const ASK_MAX = 256

const OPTIONS = z.strictObject({ ask: z.string().min(1).max(ASK_MAX).optional() })

/** What would act on the terminal or the page of whoever reads it, in place of being read. */
const UNREADABLE = /(?:(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}])+/gu

export function knockAcceptor({
  knocks,
}: Pick<AcceptorParts, 'knocks'>): Acceptor<z.output<typeof OPTIONS>> {
  return {
    name: NAME,
    ...optionsOf(OPTIONS),
    nominable: false,
    // People take their time, and meanwhile talk with who is at the lock (R16).
    prompt: false,
    finished: (context) => isProved(NAME, context),
    begin: ({ options: { ask } }) => ({
      outcome: 'challenge',
      ask:
        ask === undefined
          ? { case: undefined }
          : {
              case: 'prompts',
              value: create(PromptsSchema, { prompts: [{ text: ask, echo: true }] }),
            },
    }),
    async answer(response, { place, lock, socket, signal }): Promise<LockStep> {
      const said = textOf(response)
      if (!place || said === undefined) return WRONG
      if (Buffer.byteLength(said) > DETAIL_BYTES_MAX) return failed(Code.PAYLOAD_TOO_LARGE)
      const { remote } = socket.handshake
      const text = said.replace(UNREADABLE, ' ').trim()
      const code = await knocks.knock({ lock, place: place.address, remote, text, signal })
      return code === Code.UNSPECIFIED ? passedHere(NAME, place) : { outcome: 'dropped', code }
    },
  }
}

function textOf(response: Response): string | undefined {
  if (response.case === 'text') return response.value
  if (response.case !== 'responses' || response.value.values.length > 1) return undefined
  return response.value.values[0] ?? ''
}
