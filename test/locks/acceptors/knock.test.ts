/** What the acceptor `knock` asks, what it takes for an answer, and what it makes of a decision. */
import { Code } from '@porthouse/proto/v1/code'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Response } from '../../../gateway/locks/acceptor.ts'
import { knockAcceptor } from '../../../gateway/locks/acceptors/knock.ts'
import type { Knock } from '../../../gateway/locks/knock-desk.ts'
import { asked, BOILER, contextOf, outcomeOf } from '../../support/before-lock.ts'

/** A desk that decides at once. */
function desk(code: Code = Code.UNSPECIFIED) {
  const knocks: Knock[] = []
  const knock = async (each: Knock) => {
    knocks.push(each)
    return code
  }
  return { knocks, acceptor: knockAcceptor({ knocks: { knock } }) }
}

const OPTIONS = { ask: undefined }

function text(value: string): Response {
  return { case: 'text', value }
}

describe('its options', () => {
  const { acceptor } = desk()

  test('are a question, or nothing', async () => {
    expect(asked(await acceptor.begin(contextOf({ options: acceptor.readOptions({}) })), undefined))
    const options = acceptor.readOptions({ ask: 'Who are you?' })
    const { ask } = asked(await acceptor.begin(contextOf({ options })), 'prompts')
    expect(ask.value).toMatchObject({ prompts: [{ text: 'Who are you?', echo: true }] })
  })

  test.each([{ ask: '' }, { ask: 'x'.repeat(257) }, { ask: 1 }, { who: 'x' }, null, 'ask'])(
    '%j are refused',
    (options) => expect(() => acceptor.readOptions(options)).toThrow('options'),
  )
})

describe('who is let in', () => {
  test('has a proof of this place, and of nobody', async () => {
    const { acceptor, knocks } = desk()
    const context = contextOf({ options: OPTIONS })
    const outcome = outcomeOf(await acceptor.answer(text("it's me"), context, undefined))
    expect(outcome).toEqual({ acceptor: 'knock', place: BOILER.address, values: {}, grants: [] })
    expect(knocks).toMatchObject([
      { lock: context.lock, place: BOILER.address, remote: '192.0.2.1', text: "it's me" },
    ])
    const proofs = [outcome as never]
    expect(acceptor.finished(contextOf({ options: OPTIONS, proofs }))).toBe(true)
    const attic = { address: 'room:acme/attic', account: 'acme', room: 'attic' }
    expect(acceptor.finished(contextOf({ options: OPTIONS, proofs, place: attic }))).toBe(false)
  })

  test.each([Code.NOT_ADMITTED, Code.QUEUE_FULL, Code.RATE_LIMITED])(
    'but not where the desk says %i',
    async (code) => {
      const { acceptor } = desk(code)
      const step = await acceptor.answer(text('x'), contextOf({ options: OPTIONS }), undefined)
      expect(step).toEqual({ outcome: 'dropped', code })
    },
  )
})

describe('what is said', () => {
  test('may be one response to the one question, or nothing at all', async () => {
    const { acceptor, knocks } = desk()
    const context = contextOf({ options: OPTIONS })
    for (const values of [['ann'], []]) {
      const response = { case: 'responses', value: { values } } as unknown as Response
      await acceptor.answer(response, context, undefined)
    }
    await acceptor.answer(text(''), context, undefined)
    expect(knocks.map((knock) => knock.text)).toEqual(['ann', '', ''])
  })

  test('is short text in a place that can be knocked at', async () => {
    const { acceptor, knocks } = desk()
    const context = contextOf({ options: OPTIONS })
    const answer = async (response: Response, at = context) =>
      outcomeOf(await acceptor.answer(response, at, undefined))
    expect(await answer(text('é'.repeat(129)))).toBe('PAYLOAD_TOO_LARGE')
    expect(await answer({ case: 'data', value: new Uint8Array(3) })).toBe('UNAUTHENTICATED')
    const two = { case: 'responses', value: { values: ['a', 'b'] } } as unknown as Response
    expect(await answer(two)).toBe('UNAUTHENTICATED')
    expect(await answer(text('x'), contextOf({ options: OPTIONS, place: undefined }))).toBe(
      'UNAUTHENTICATED',
    )
    expect(knocks).toEqual([])
  })

  test('does nothing to the terminal or the page of whoever reads it', async () => {
    const { acceptor, knocks } = desk()
    const context = contextOf({ options: OPTIONS })
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 60 }), async (said) => {
        await acceptor.answer(text(said), context, undefined)
        const heard = knocks.at(-1)?.text ?? ''
        expect(heard).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u)
      }),
    )
    await acceptor.answer(text('\u001b[2Jroot\r\nadmit: yes\u202egnp'), context, undefined)
    expect(knocks.at(-1)?.text).toBe('[2Jroot admit: yes gnp')
  })
})
