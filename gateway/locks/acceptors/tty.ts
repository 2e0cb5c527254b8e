/**
 * The `tty` acceptor: a dialogue of prompts, as RFC 4256 has it, all of which must be answered
 * right (R17). It proves that somebody knows the answers, and not who he is.
 */
import { create } from '@bufbuild/protobuf'
import { PromptsSchema } from '@porthouse/proto/v1/lock_step'
import { z } from 'zod'
import { isSha256Of, sha256 } from '../../identity/sha256.ts'
import type { Acceptor, Response } from '../acceptor.ts'
import { optionsOf, sha256Hex } from './options.ts'
import { passedHere, WRONG } from './steps.ts'

/** In characters. */
const TITLE_MAX = 128
const INSTRUCTION_MAX = 1024
const TEXT_MAX = 256

const PROMPT = z
  .strictObject({
    text: z.string().min(1).max(TEXT_MAX),
    echo: z.boolean().default(true),
    answer_sha256: sha256Hex.optional(),
    any: z.literal(true).optional(),
  })
  .refine(
    ({ answer_sha256, any }) => (answer_sha256 === undefined) !== (any === undefined),
    'a prompt has either answer_sha256 or any: true',
  )

const OPTIONS = z.strictObject({
  name: z.string().max(TITLE_MAX).default(''),
  instruction: z.string().max(INSTRUCTION_MAX).default(''),
  prompts: z.array(PROMPT).min(1).max(8),
})

type Options = z.output<typeof OPTIONS>

export function ttyAcceptor(): Acceptor<Options> {
  return {
    name: 'tty',
    ...optionsOf(OPTIONS),
    nominable: false,
    prompt: true,
    finished: ({ proofs, place, options }) =>
      proofs.some(
        (proof) =>
          proof.acceptor === 'tty' &&
          proof.place === place?.address &&
          proof.values.dialogue === idOf(options),
      ),
    begin: ({ options: { name, instruction, prompts } }) => {
      const asked = prompts.map(({ text, echo }) => ({ text, echo }))
      const value = create(PromptsSchema, { name, instruction, prompts: asked })
      return { outcome: 'challenge', ask: { case: 'prompts', value } }
    },
    answer(response, { options, place }) {
      return place && isRight(valuesOf(response), options)
        ? passedHere('tty', place, { values: { dialogue: idOf(options) } })
        : WRONG
    },
  }
}

/** A client that knows of texts alone may answer a single prompt by one. */
function valuesOf(response: Response): readonly string[] {
  if (response.case === 'responses') return response.value.values
  return response.case === 'text' ? [response.value] : []
}

/** Looks at all answers, right or wrong, so that time does not tell which one was wrong (K13). */
function isRight(values: readonly string[], { prompts }: Options): boolean {
  if (values.length !== prompts.length) return false
  const wrong = prompts.filter(({ answer_sha256 }, i) => {
    const given = (values[i] as string).normalize('NFC')
    return answer_sha256 !== undefined && !isSha256Of(given, answer_sha256)
  })
  return wrong.length === 0
}

/** Tells one dialogue of a place from another: whoever passed this one need not pass it again. */
function idOf({ prompts }: Options): string {
  const asked = prompts.map(({ text, answer_sha256 }) => [text, answer_sha256?.toString('hex')])
  return sha256(JSON.stringify(asked)).toString('base64url').slice(0, 16)
}
