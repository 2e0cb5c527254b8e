/** Locks as a client meets them: nested, chosen from, answered ahead, in one packet (R12, R13). */
import { Code } from '@porthouse/proto/v1/code'
import type { LockStep as LockStepFrame } from '@porthouse/proto/v1/lock_step'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { identityAcceptor } from '../../gateway/locks/acceptors/identity.ts'
import { all, any, guardedBy, lock } from '../support/access.ts'
import { answer, hello, join, leave, say, text } from '../support/client-frames.ts'
import { type Guest, Hall } from '../support/hall.ts'
import { brief } from '../support/heard.ts'
import { OPEN } from '../support/memory-store.ts'
import { proofOf, type WordAcceptor, wordAcceptor } from '../support/word-acceptor.ts'

const DEFAULTS = { tries: 3, deadlineMs: 10_000 }

let hall: Hall
let words: Map<string, WordAcceptor>

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const slow = wordAcceptor('slow', { prompt: false })
  const made = ['red', 'green', 'blue'].map((name) => wordAcceptor(name))
  words = new Map([slow, ...made].map((each) => [each.name, each]))
  const identity = identityAcceptor({ acceptors: () => hall.core.acceptors, defaults: DEFAULTS })
  hall = new Hall({}, [...words.values(), identity as never])
  hall.store.room('acme/yard', OPEN)
})
afterEach(() => vi.useRealTimers())

async function hears(guest: Guest): Promise<string[]> {
  await hall.settle()
  return guest.heard()
}

async function steps(guest: Guest): Promise<LockStepFrame[]> {
  await hall.settle()
  return guest.take().flatMap(({ body }) => (body.case === 'lockStep' ? [body.value] : []))
}

const BOILER = 'room:acme/boiler'

describe('a flow in one packet', () => {
  test('of all and any, nested, unwinds whatever the order of the answers (R13)', async () => {
    hall.store.room('acme/boiler', guardedBy(all('red', any('green', all('blue', 'slow')))))
    const ahead = [say(3, 'red', 'red'), say(4, 'slow', 'slow'), say(5, 'blue', 'blue')]
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [1, 0, 2],
    ]) {
      const guest = hall.open()
      guest.say(hello(1), join(2, BOILER), ...order.map((i) => ahead[i]!), text(6, 'hi'))
      const heard = await hears(guest)
      expect(heard.filter((line) => !line.includes('challenge')).toSorted()).toEqual([
        '1 welcome',
        '2 joined room:acme/boiler',
        '3 verdict passed',
        '4 verdict passed',
        expect.stringMatching(/^6 receipt (VOID|ROUTED)/),
      ])
      // The answer that only went halfway was answered by what is asked next.
      expect(heard).toContain('5 challenge slow')
      expect(guest.session.stack.locks).toEqual([])
    }
  })

  test('asks who is there before it lets in, by a token given ahead (R13)', async () => {
    hall.store.room('acme/boiler', guardedBy(all('identity', 'red')))
    const token = hall.store.token('acme', ['boiler'], { client: 'ann' })
    const guest = hall.open('/acme/boiler')
    guest.say(hello(1), answer(2, token), say(3, 'red', 'red'), text(4, 'hi'))
    expect(await hears(guest)).toEqual([
      '0 challenge token',
      '1 welcome',
      '2 verdict passed',
      '0 verdict passed',
      '0 challenge red',
      '3 verdict passed',
      '0 joined room:acme/boiler',
      '4 receipt VOID 0',
    ])
    expect(guest.session.client).toBe('client:acme/ann')
  })

  test('that is known to be wrong in part tells which part, and asks for it', async () => {
    hall.store.room('acme/boiler', guardedBy(all('red', 'green')))
    const guest = hall.open().say(join(1, BOILER), say(2, 'red', 'red'), say(3, 'green', 'grey'))
    expect(await hears(guest)).toEqual([
      '1 challenge red',
      '2 verdict passed',
      '1 challenge green',
      '3 verdict failed UNAUTHENTICATED',
    ])
    expect(await hears(guest.say(say(4, 'green', 'green')))).toEqual([
      '4 verdict passed',
      '1 joined room:acme/boiler',
    ])
  })
})

describe('values', () => {
  test('of the locks that one needed come to it, and to nobody else (R12, R13)', async () => {
    const told: unknown[] = []
    const asker = wordAcceptor('asker', {
      begin: (context) => {
        told.push(context.values)
        if ('green' in context.values)
          return { outcome: 'passed', proof: proofOf('asker', context) }
        const spec = (acceptor: string) => ({ acceptor, ...DEFAULTS, options: {} })
        const flows = ['red', 'green'].map((name) => ({ kind: 'lock', lock: spec(name) }) as const)
        return { outcome: 'needs', flow: { kind: 'all', flows } }
      },
    })
    const other = wordAcceptor('other', {
      begin: ({ values }) => {
        told.push(values)
        return { outcome: 'challenge', ask: { case: undefined } }
      },
    })
    hall = new Hall({}, [...words.values(), asker, other])
    hall.store.room('acme/boiler', guardedBy(all('asker', 'other')))
    const guest = hall.open('/acme/boiler').say(say(1, 'red', 'red'), say(2, 'green', 'green'))
    const verdicts = (await steps(guest)).flatMap(({ step }) =>
      step.case === 'verdict' ? [step.value.values] : [],
    )
    const both = { red: 'proved', green: 'proved' }
    expect(told).toEqual([{}, both, {}])
    expect(verdicts).toEqual([{ red: 'proved' }, { green: 'proved' }, { ...both, asker: 'proved' }])
  })
})

describe('a lock of which any will do', () => {
  beforeEach(() => {
    hall.store.room('acme/boiler', guardedBy(any('red', 'green', 'slow')))
  })

  test('says who else would do, and asks what is chosen, under the id of the choice', async () => {
    const guest = hall.open().say(join(1, BOILER))
    const [first] = await steps(guest)
    expect(first?.step.value).toMatchObject({ acceptor: 'red', others: ['green', 'slow'] })
    guest.say(say(2, 'slow'), say(3, 'green'), say(4, 'green'))
    expect(await hears(guest)).toEqual([
      '2 challenge slow',
      '3 challenge green',
      '4 challenge green',
    ])
    expect(await hears(guest.say(say(5, 'red', 'red')))).toEqual([
      '5 verdict passed',
      '1 joined room:acme/boiler',
    ])
  })

  test('asks at once for the one that an answer was given ahead for', async () => {
    const guest = hall.open().say(say(1, 'green', 'green'), join(2, BOILER))
    expect(await hears(guest)).toEqual(['1 verdict passed', '2 joined room:acme/boiler'])
    expect(words.get('red')?.begun).toBe(0)
  })

  test('has as many tries as it has, whichever are tried', async () => {
    const guest = hall.open('/acme/boiler')
    guest.say(say(1, 'red', 'x'), say(2, 'green', 'x'), say(3, 'red'), say(4, 'red', 'x'))
    expect((await hears(guest)).slice(-3)).toEqual([
      '3 challenge red',
      '4 verdict dropped UNAUTHENTICATED',
      '0 drop TRIES_EXHAUSTED',
    ])
    expect(words.get('red')?.judged).toBe(2)
  })

  test('takes the next where the first cannot be judged by anybody', async () => {
    const away = () => Promise.reject(new Error('away'))
    hall = new Hall({}, [wordAcceptor('broken', { begin: away }), ...words.values()])
    hall.store.room('acme/boiler', guardedBy(any('broken', 'red')))
    hall.store.room('acme/attic', guardedBy('broken'))
    const guest = hall.open('/acme/boiler').say(say(2, 'red', 'red'))
    expect(await hears(guest)).toEqual([
      '0 challenge red',
      '2 verdict passed',
      '0 joined room:acme/boiler',
    ])
    expect(await hears(guest.say(join(3, 'room:acme/attic')))).toEqual([
      '0 verdict dropped UNAVAILABLE',
      '3 drop UNAVAILABLE',
    ])
    const stranger = hall.open('/acme/attic')
    expect((await hears(stranger)).at(-1)).toBe('0 drop UNAVAILABLE')
  })
})

describe('while people take their time', () => {
  beforeEach(() => {
    hall.store.room('acme/boiler', guardedBy('slow'))
  })

  test('the socket goes on with all else, and enters when it is decided', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    words.get('slow')!.gate = promise
    const guest = hall.open('/acme/yard')
    await hears(guest)
    guest.say(join(1, BOILER), say(2, 'slow', 'slow'), text(3, 'hi'))
    expect(await hears(guest)).toEqual(['1 challenge slow', '3 receipt VOID 0'])
    resolve()
    expect(await hears(guest)).toEqual(['2 verdict passed', '1 joined room:acme/boiler'])
  })

  test('another answer waits for the verdict on the first', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    words.get('slow')!.gate = promise
    const guest = hall.open().say(join(1, BOILER), say(2, 'slow', 'x'), say(3, 'slow', 'slow'))
    guest.say(say(4, 'slow', 'slow'))
    expect(await hears(guest)).toEqual(['1 challenge slow', '3 drop QUEUE_FULL'])
    expect(words.get('slow')!.judged).toBe(1)
    resolve()
    expect(await hears(guest)).toEqual([
      '2 verdict failed UNAUTHENTICATED',
      '4 verdict passed',
      '1 joined room:acme/boiler',
    ])
  })

  test('whoever gives up is told, and what is decided then changes nothing', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    words.get('slow')!.gate = promise
    const guest = hall.open('/acme/yard')
    await hears(guest)
    guest.say(join(1, BOILER), say(2, 'slow', 'slow'), leave(3, BOILER))
    expect(await hears(guest)).toEqual([
      '1 challenge slow',
      '2 verdict dropped',
      '3 left room:acme/boiler',
    ])
    resolve()
    expect(await hears(guest)).toEqual([])
    expect(guest.session).toMatchObject({ proofs: [], waiting: [], stack: { locks: [] } })
    expect(guest.session.memberships.size).toBe(1)
    expect(guest.session.lockAborts?.size ?? 0).toBe(0)
  })

  test('an end of the lock ends what its acceptor does for it', async () => {
    let signal: AbortSignal | undefined
    const deaf = wordAcceptor('deaf', {
      prompt: false,
      answer: (_, context) => {
        signal = context.signal
        return new Promise(() => {})
      },
    })
    hall = new Hall({}, [deaf])
    hall.store.room('acme/boiler', guardedBy(lock('deaf', {}, { deadlineMs: 20_000 })))
    const guest = hall.open('/acme/boiler').say(say(1, 'deaf', 'x'))
    await hall.settle()
    hall.pass(19_000)
    expect(signal?.aborted).toBe(false)
    hall.pass(1_500)
    expect(signal?.aborted).toBe(true)
    expect(guest.ended).toBe(Code.LOCK_DEADLINE)
  })
})

describe('an acceptor that does not behave', () => {
  const enter = async (acceptor: WordAcceptor) => {
    hall = new Hall({}, [acceptor, ...words.values()])
    hall.store.room('acme/boiler', guardedBy(acceptor.name))
    hall.store.room('acme/yard', OPEN)
    const guest = hall.open('/acme/yard').say(join(1, BOILER), say(2, acceptor.name, 'odd'))
    return hears(guest)
  }

  test('and asks for itself lets nobody in', async () => {
    const flow = { kind: 'lock', lock: { acceptor: 'odd', ...DEFAULTS, options: {} } } as const
    const odd = wordAcceptor('odd', { begin: () => ({ outcome: 'needs', flow }) })
    expect(await enter(odd)).toContain('1 drop NESTING_TOO_DEEP')
  })

  test.each(['red', 'token'])('and needs %s for ever lets nobody in, and stops', async (name) => {
    const flow = { kind: 'lock', lock: { acceptor: name, ...DEFAULTS, options: {} } } as const
    const odd = wordAcceptor('odd', { begin: () => ({ outcome: 'needs', flow }) })
    hall = new Hall({}, [odd, ...words.values()])
    hall.store.room('acme/boiler', guardedBy('odd'))
    hall.store.room('acme/yard', OPEN)
    const token = hall.store.token('acme', ['boiler'])
    const guest = hall.open('/acme/yard').say(join(1, BOILER))
    guest.say(name === 'red' ? say(2, 'red', 'red') : answer(2, token))
    expect((await hears(guest)).at(-1)).toBe('1 drop NESTING_TOO_DEEP')
    expect(guest.ended).toBeUndefined()
  })

  test('and throws is no proof (A18)', async () => {
    const throws = () => {
      throw new Error('a bug')
    }
    expect(await enter(wordAcceptor('odd', { answer: throws }))).toEqual([
      '0 joined room:acme/yard',
      '1 challenge odd',
      '2 verdict failed UNAVAILABLE',
    ])
  })

  test('and asks first what is later decided elsewhere is asked once', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const odd = wordAcceptor('odd', {
      prompt: false,
      begin: (context) => {
        const later = promise.then(
          () => ({ outcome: 'passed', proof: proofOf('odd', context) }) as const,
        )
        return { outcome: 'challenge', ask: { case: undefined }, later }
      },
    })
    hall = new Hall({}, [odd])
    hall.store.room('acme/boiler', guardedBy('odd'))
    const guest = hall.open().say(join(1, BOILER), say(2, 'odd', 'x'))
    expect(await hears(guest)).toEqual(['1 challenge odd', '2 verdict failed UNAUTHENTICATED'])
    resolve()
    // The challenge that it belonged to is answered.
    expect(await hears(guest)).toEqual([])
    const patient = hall.open().say(join(1, BOILER))
    expect(await hears(patient)).toEqual([
      '1 challenge odd',
      '0 verdict passed',
      '1 joined room:acme/boiler',
    ])
  })
})

describe('a room by whatever name', () => {
  test('has one lock, and what is proved counts for all of its names', async () => {
    const { id, account } = hall.store.room('acme/boiler', guardedBy('red'))
    const names = [BOILER, `room:acme/${id}`, `room:${account.id}/${id}/temp`]
    const guest = hall.open().say(...names.map((name, i) => join(i + 1, name)))
    expect(await hears(guest)).toEqual(['1 challenge red', '2 challenge red', '3 challenge red'])
    expect(guest.session.stack.locks).toHaveLength(1)
    expect(await hears(guest.say(say(4, 'red', 'red')))).toEqual([
      '4 verdict passed',
      '1 joined room:acme/boiler',
      '2 joined room:acme/boiler',
      '3 joined room:acme/boiler/temp',
    ])
    guest.say(leave(5, BOILER))
    await hears(guest)
    expect(await hears(guest.say(join(6, `room:${account.id}/boiler`)))).toEqual([
      '6 joined room:acme/boiler',
    ])
    expect(words.get('red')?.begun).toBe(1)
  })
})

test('a challenge says for which place, how deep and for how long it is', async () => {
  hall.store.room('acme/boiler', guardedBy(all(lock('red', {}, { tries: 7 }), 'green')))
  const guest = hall.open('/acme/boiler')
  await hall.settle()
  const [frame] = guest.take()
  expect(brief(frame!)).toBe('0 challenge red')
  expect(frame?.body.value).toMatchObject({
    lock: expect.stringMatching(/^lock:[a-z2-7]{16}$/),
    step: {
      value: { place: BOILER, depth: 2, triesLeft: 7, deadlineMs: 10_000, others: [] },
    },
  })
})
