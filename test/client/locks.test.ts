/** What a client says to locks, by a gateway whose every frame the test says. */
import { Code } from '@porthouse/proto/v1/code'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type Answerer,
  bearer,
  type Client,
  type ConnectOptions,
  connect,
  deviceFlow,
  type LockStep,
  prompts,
  sshKey,
  token,
  type Visit,
} from '../../clients/ts/src/index.ts'
import { answered, answersIn, challenge, greeted, judged, LOCK } from '../support/lock-frames.ts'
import { drop, joined, type Line, ManualClock, Peer } from '../support/peer.ts'

const PLACE = 'room:acme/boiler'
const OTHER = 'lock:bbbbbbbbbbbbbbbb'

let peer: Peer
const clients: Client[] = []
beforeEach(async () => {
  peer = await Peer.start()
})
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()))
  await peer.stop()
})

interface Opened {
  readonly line: Line
  readonly connecting: Promise<Client>
}

async function dial(path: string, options: ConnectOptions): Promise<Opened> {
  const connecting = connect(`${peer.url}${path}`, options).then((client) => {
    clients.push(client)
    return client
  })
  // It is awaited where the test comes to it.
  connecting.catch(() => {})
  return { line: await peer.line(), connecting }
}

/** An answerer that gives these responses, one after the other. */
function saying(acceptor: string, ...responses: string[]): Answerer & { asked: string[] } {
  const asked: string[] = []
  return {
    acceptor,
    tries: responses.length,
    asked,
    answer({ ask }) {
      asked.push(ask.kind)
      return responses[asked.length - 1]
    },
  }
}

describe('in the main lobby', () => {
  test('who needs a challenge chooses his acceptor, one after the other', async () => {
    const [first, second] = ['one', 'two'].map((name) => ({
      ...saying(name, name),
      nominates: true,
    }))
    const { line, connecting } = await dial('', { locks: [first!, second!] })
    const [chosen, ...more] = await greeted(line)
    expect(chosen).toMatchObject({ acceptor: 'one', lock: '', response: { case: undefined } })
    expect(more).toEqual([])
    line.send(challenge(chosen!.id, { acceptor: 'one' }))
    const answer = await answered(line)
    expect(answer).toMatchObject({ acceptor: 'one', lock: LOCK, response: { value: 'one' } })
    line.send(judged(answer.id, 'passed'))
    const next = await answered(line)
    expect(next).toMatchObject({ acceptor: 'two', lock: '', response: { case: undefined } })
    line.send(challenge(next.id, { acceptor: 'two' }, OTHER))
    const last = await answered(line)
    line.send(judged(last.id, 'passed', {}, OTHER))
    await connecting
  })

  test('tokens go out with the first packet, all of them', async () => {
    const { line, connecting } = await dial('', { token: 'a', locks: [token('b')] })
    const answers = await greeted(line)
    expect(answers.map(({ response }) => response.value)).toEqual(['a', 'b'])
    line.send(...answers.map(({ id }) => judged(id, 'passed')))
    await connecting
  })

  test('whoever has another key tries it, until he has none', async () => {
    const attempts: number[] = []
    const signer = sshKey({
      client: 'acme/anna',
      tries: 6,
      sign: async (_, { attempt }) => {
        attempts.push(attempt)
        return attempt < 3 ? new Uint8Array(64) : undefined
      },
    })
    const { line, connecting } = await dial('', { locks: [signer] })
    let [chosen] = await greeted(line)
    for (const nonce of [1, 2, 3]) {
      const value = { nonce: new Uint8Array(32).fill(nonce), socket: 'socket:aaaaaaaaaaaaaaaa' }
      const ask = { case: 'nonce' as const, value }
      line.send(challenge(chosen!.id, { acceptor: 'ssh-key', ask }))
      if (nonce === 3) break
      const { id, response } = await answered(line)
      expect(response.value).toMatchObject({ client: 'client:acme/anna' })
      line.send(judged(id, 'failed', { code: Code.UNAUTHENTICATED, triesLeft: 3 - nonce }))
      chosen = await answered(line)
    }
    await expect(connecting).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
    expect(attempts).toEqual([1, 2, 3])
  })

  test('what cannot be judged now is for later', async () => {
    const { line, connecting } = await dial('', { token: 'a' })
    const [answer] = await greeted(line)
    line.send(judged(answer!.id, 'failed', { code: Code.UNAVAILABLE, triesLeft: 3 }))
    await expect(connecting).rejects.toMatchObject({ code: 'UNAVAILABLE', temporary: true })
  })
})

describe('a place that the URL names', () => {
  test('gets what is known ahead, and asks for the rest', async () => {
    const locks = [token('secret'), bearer('jwt'), saying('own', 'word')]
    const { line, connecting } = await dial('/acme/boiler', { locks })
    line.send(challenge(0, { acceptor: 'own', place: PLACE }))
    const ahead = await greeted(line)
    expect(ahead.map(({ acceptor }) => acceptor)).toEqual(['token', 'oidc'])
    const answer = await answered(line)
    expect(answer).toMatchObject({ acceptor: 'own', lock: LOCK, response: { value: 'word' } })
    line.send(judged(answer.id, 'passed'), joined(0, PLACE))
    // Neither the token nor the bearer was ever asked for.
    expect((await connecting).entered?.address).toBe(PLACE)
  })

  test('is told the first that fits of what it takes, by its choice', async () => {
    const locks = [saying('none', 'x'), saying('second', 'y'), saying('first', 'z')]
    const { line, connecting } = await dial('/acme/boiler', { locks })
    await greeted(line)
    line.send(challenge(0, { acceptor: 'first', others: ['second'], place: PLACE }))
    const chosen = await answered(line)
    expect(chosen).toMatchObject({ acceptor: 'second', response: { case: undefined } })
    line.send(challenge(chosen.id, { acceptor: 'second', others: ['first'], place: PLACE }))
    const answer = await answered(line)
    expect(answer.response.value).toBe('y')
    line.send(judged(answer.id, 'failed', { code: Code.UNAUTHENTICATED, triesLeft: 2 }))
    const other = await answered(line)
    expect(other).toMatchObject({ acceptor: 'first', lock: LOCK, response: { case: undefined } })
    line.send(challenge(other.id, { acceptor: 'first', others: ['second'], place: PLACE }))
    const last = await answered(line)
    expect(last.response.value).toBe('z')
    line.send(judged(last.id, 'passed'), joined(0, PLACE))
    await connecting
  })

  test('may take a page and a code, and decides by itself', async () => {
    const visits: Visit[] = []
    const locks = [deviceFlow({ onVisit: (visit) => visits.push(visit) })]
    const { line, connecting } = await dial('/acme/boiler', { locks })
    await greeted(line)
    line.send(challenge(0, { acceptor: 'oidc', place: PLACE }))
    const { id, response } = await answered(line)
    expect(response).toEqual({ case: 'text', value: 'device' })
    const value = { url: 'https://login.example/device', userCode: 'WDJB-MJHT' }
    line.send(challenge(id, { acceptor: 'oidc', place: PLACE, ask: { case: 'visit', value } }))
    await expect.poll(() => visits.length).toBe(1)
    expect(visits[0]).toMatchObject({ ...value, completeUrl: '', signal: { aborted: false } })
    line.send(judged(0, 'passed'), joined(0, PLACE))
    await connecting
    expect(visits[0]!.signal.aborted).toBe(true)
  })

  test.each(['file:///etc/passwd', 'javascript:alert(1)', 'nonsense'])(
    'cannot send a person to %s',
    async (url) => {
      const { line, connecting } = await dial('/acme/boiler', { locks: [] })
      await greeted(line)
      const ask = { case: 'visit' as const, value: { url, userCode: 'x' } }
      line.send(challenge(0, { acceptor: 'oidc', place: PLACE, ask }))
      await expect(connecting).rejects.toMatchObject({ code: 'MALFORMED_PACKET' })
    },
  )

  test('that nobody answers names all that it would take', async () => {
    const { line, connecting } = await dial('/acme/boiler', { locks: [saying('none', 'x')] })
    await greeted(line)
    line.send(challenge(0, { acceptor: 'ssh-key', others: ['oidc'], place: PLACE }))
    await expect(connecting).rejects.toThrow(
      'UNAUTHENTICATED: room:acme/boiler asks for ssh-key or oidc',
    )
  })

  test('that takes its time is waited for, as long as its lock lasts', async () => {
    const clock = new ManualClock()
    const asked = Promise.withResolvers<(answer: string) => void>()
    const slow: Answerer = {
      acceptor: 'own',
      answer: () => new Promise(asked.resolve),
    }
    const options = { locks: [slow], clock, timeoutMs: 1000 }
    const { line, connecting } = await dial('/acme/boiler', options)
    await greeted(line)
    line.send(challenge(0, { acceptor: 'own', place: PLACE, deadlineMs: 60_000 }))
    const answer = await asked.promise
    clock.advance(59_000)
    answer('late, but not too late')
    const { id } = await answered(line)
    line.send(judged(id, 'passed'), joined(0, PLACE))
    await connecting
  })

  test('whose answerer throws is not entered, and why is told', async () => {
    const cause = new Error('the safe is empty')
    const failing: Answerer = { acceptor: 'own', answer: () => Promise.reject(cause) }
    const { line, connecting } = await dial('/acme/boiler', { locks: [failing] })
    await greeted(line)
    line.send(challenge(0, { acceptor: 'own', place: PLACE }))
    const why = { code: 'UNAUTHENTICATED', message: 'UNAUTHENTICATED: the safe is empty', cause }
    await expect(connecting).rejects.toMatchObject(why)
  })
})

describe('a join', () => {
  async function open(options: ConnectOptions): Promise<{ line: Line; client: Client }> {
    const { line, connecting } = await dial('', options)
    await greeted(line)
    return { line, client: await connecting }
  }

  test('has its locks answered, the newest first', async () => {
    const locks = [saying('own', 'a', 'b', 'c')]
    const { line, client } = await open({ locks: [{ ...locks[0]!, tries: 9 }] })
    const joining = Promise.all([client.join('acme/boiler'), client.join('acme/attic')])
    const [boiler, attic] = await line.packet()
    const first = { acceptor: 'own', place: PLACE }
    const second = { acceptor: 'own', place: 'room:acme/attic', depth: 2 }
    line.send(challenge(boiler!.id, first), challenge(attic!.id, second, OTHER))
    const answer = await answered(line)
    expect(answer).toMatchObject({ lock: OTHER, response: { value: 'a' } })
    line.send(judged(answer.id, 'passed', {}, OTHER), joined(attic!.id, 'room:acme/attic'))
    line.send(challenge(0, first))
    const last = await answered(line)
    expect(last).toMatchObject({ lock: LOCK, response: { value: 'b' } })
    line.send(judged(last.id, 'passed'), joined(boiler!.id, PLACE, { route: 2 }))
    expect((await joining).map(({ address }) => address)).toEqual([PLACE, 'room:acme/attic'])
  })

  test.each([0, 1])('that nobody answers is given up, and leaves (id %i)', async (withId) => {
    const { line, client } = await open({})
    const joining = client.join('acme/boiler')
    const { id } = await line.frame('room')
    line.send(challenge(withId && id, { acceptor: 'own', place: PLACE }))
    await expect(joining).rejects.toThrow('room:acme/boiler asks for own')
    const leave = await line.frame('room')
    expect(leave.value.action).toMatchObject({ case: 'leave', value: { address: PLACE } })
    line.send(judged(0, 'dropped'))
    const again = client.join('acme/boiler')
    line.send(joined((await line.frame('room')).id, PLACE))
    await again
  })

  test('whose answer is wrong is refused with its code, and the client lives', async () => {
    const { line, client } = await open({ locks: [saying('own', 'x')] })
    const joining = client.join('acme/boiler')
    const { id } = await line.frame('room')
    line.send(challenge(id, { acceptor: 'own', place: PLACE }))
    const answer = await answered(line)
    line.send(judged(answer.id, 'failed', { code: Code.NOT_ADMITTED, triesLeft: 2 }))
    await expect(joining).rejects.toMatchObject({ code: 'NOT_ADMITTED' })
    await line.frame('room')
    expect(client.socket).not.toBe('')
  })

  test('whose lock is dropped is refused by the gateway', async () => {
    const { line, client } = await open({ locks: [saying('own', 'x')] })
    const joining = client.join('acme/boiler')
    const { id } = await line.frame('room')
    line.send(challenge(id, { acceptor: 'own', place: PLACE }))
    await answered(line)
    line.send(judged(0, 'dropped', { code: Code.LOCK_DEADLINE }), drop(id, Code.LOCK_DEADLINE))
    await expect(joining).rejects.toMatchObject({ code: 'LOCK_DEADLINE' })
  })

  test('may be nested: an answer leads to another lock, under its id', async () => {
    const locks = [saying('outer', 'o', 'o'), saying('inner', 'i')]
    const { line, client } = await open({ locks })
    const joining = client.join('acme/boiler')
    const { id } = await line.frame('room')
    line.send(challenge(id, { acceptor: 'outer', place: PLACE }))
    const outer = await answered(line)
    line.send(challenge(outer.id, { acceptor: 'inner', place: PLACE, depth: 2 }, OTHER))
    const inner = await answered(line)
    expect(inner).toMatchObject({ lock: OTHER, response: { value: 'i' } })
    line.send(judged(inner.id, 'passed', {}, OTHER))
    line.send(judged(0, 'passed'), joined(id, PLACE))
    expect((await joining).address).toBe(PLACE)
  })
})

describe('onStep', () => {
  test('sees each step, and answers what nobody else does', async () => {
    const seen: string[] = []
    const onStep = async (step: LockStep) => {
      if (step.kind === 'verdict') return void seen.push(step.verdict.outcome)
      seen.push(step.challenge.ask.kind)
      await Promise.resolve()
      step.respond(['blue'])
      step.respond(['again'])
    }
    const { line, connecting } = await dial('/acme/boiler', { onStep })
    await greeted(line)
    const prompt = { text: 'Colour? ', echo: true }
    const ask = { case: 'prompts' as const, value: { prompts: [prompt] } }
    line.send(challenge(0, { acceptor: 'tty', place: PLACE, ask }))
    const { id, response } = await answered(line)
    expect(response.value).toMatchObject({ values: ['blue'] })
    line.send(judged(id, 'passed'), joined(0, PLACE))
    await connecting
    expect(seen).toEqual(['prompts', 'passed'])
  })

  test('may choose, and is asked again where it was wrong', async () => {
    const onStep = (step: LockStep) => {
      if (step.kind === 'verdict') return
      const { acceptor, triesLeft } = step.challenge
      if (acceptor === 'ssh-key') step.respond(undefined, 'token')
      else step.respond(triesLeft === 3 ? 'wrong' : 'right')
    }
    const { line, connecting } = await dial('/acme/boiler', { onStep })
    await greeted(line)
    const both = { others: ['token'], place: PLACE }
    line.send(challenge(0, { acceptor: 'ssh-key', ...both }))
    const chosen = await answered(line)
    expect(chosen).toMatchObject({ acceptor: 'token', response: { case: undefined } })
    line.send(challenge(chosen.id, { acceptor: 'token', ...both }))
    const wrong = await answered(line)
    line.send(judged(wrong.id, 'failed', { code: Code.UNAUTHENTICATED, triesLeft: 2 }))
    const right = await answered(line)
    expect(right.response.value).toBe('right')
    line.send(judged(right.id, 'passed'), joined(0, PLACE))
    await connecting
  })

  test('that throws has given up, with its reason', async () => {
    const onStep = () => Promise.reject(new Error('never mind'))
    const { line, connecting } = await dial('/acme/boiler', { onStep })
    await greeted(line)
    line.send(challenge(0, { acceptor: 'token', place: PLACE }))
    await expect(connecting).rejects.toThrow('never mind')
  })
})

test('a person is asked again after a wrong answer, while there are tries', async () => {
  let asked = 0
  const person = prompts(async () => (++asked < 3 ? [`${asked}`] : undefined))
  const { line, connecting } = await dial('/acme/boiler', { locks: [person] })
  await greeted(line)
  const ask = { case: 'prompts' as const, value: { prompts: [{ text: '?', echo: true }] } }
  for (const id of [1, 2]) {
    line.send(challenge(0, { acceptor: 'tty', place: PLACE, ask, triesLeft: 4 - id }))
    const answer = await answered(line)
    line.send(judged(answer.id, 'failed', { code: Code.UNAUTHENTICATED, triesLeft: 3 - id }))
  }
  line.send(challenge(0, { acceptor: 'tty', place: PLACE, ask, triesLeft: 1 }))
  await expect(connecting).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
})

describe('a resume token', () => {
  const resume = (token: string, expiresMs = 60_000) => ({
    body: { case: 'resume' as const, value: { token, expiresMs } },
  })

  async function lost(options: ConnectOptions, clock: ManualClock): Promise<Line> {
    const { line, connecting } = await dial('', { ...options, clock, backoff: { baseMs: 1 } })
    const answers = await greeted(line)
    line.send(resume('first'), ...answers.map(({ id }) => judged(id, 'passed')))
    const client = await connecting
    // It has been read once what follows it has.
    const joining = client.join('acme/boiler')
    line.send(joined((await line.frame('room')).id, PLACE))
    await joining
    return line
  }

  async function back(line: Line, clock: ManualClock): Promise<Line> {
    const away = new Promise((resolve) => clients.at(-1)!.on('reconnecting', resolve))
    line.cut()
    await away
    clock.advance(10)
    return peer.line()
  }

  test('goes with the next Hello, and spares what takes several steps', async () => {
    const clock = new ManualClock()
    const own: Answerer = { ...saying('own', 'x', 'y'), nominates: true }
    const { line, connecting } = await dial('', { locks: [own], clock, backoff: { baseMs: 1 } })
    const [chosen] = await greeted(line)
    line.send(challenge(chosen!.id, { acceptor: 'own' }))
    const { id } = await answered(line)
    line.send(judged(id, 'passed'), resume('first'))
    await connecting
    const second = await back(line, clock)
    const frames = await second.packet()
    expect(frames).toHaveLength(1)
    expect(frames[0]!.body.value).toMatchObject({ resume: 'first' })
    const again = new Promise((resolve) => clients.at(-1)!.on('reconnected', resolve))
    second.send({ id: frames[0]!.id, body: { case: 'welcome', value: { resumed: true } } })
    await again
    // Not taken the next time: it is proved anew.
    const third = await back(second, clock)
    const hello = await third.packet()
    expect(hello[0]!.body.value).toMatchObject({ resume: 'first' })
    third.send({ id: hello[0]!.id, body: { case: 'welcome', value: { resumed: false } } })
    expect(await answered(third)).toMatchObject({ acceptor: 'own', response: { case: undefined } })
    const fourth = await back(third, clock)
    expect((await fourth.packet())[0]!.body.value).toMatchObject({ resume: '' })
  })

  test('goes with the token, so that one packet does whichever is taken', async () => {
    const clock = new ManualClock()
    const line = await lost({ token: 'secret' }, clock)
    const second = await back(line, clock)
    const frames = await second.packet()
    expect(frames.map(({ body }) => body.case)).toEqual(['hello', 'lockStep', 'room'])
    expect(answersIn(frames)).toMatchObject([{ acceptor: 'token' }])
  })

  test('is not used past its time', async () => {
    const clock = new ManualClock()
    const line = await lost({}, clock)
    clock.advance(60_001)
    const second = await back(line, clock)
    expect((await second.packet())[0]!.body.value).toMatchObject({ resume: '' })
  })
})

test.each(['REPLACED', 'REVOKED', 'KICKED', 'PROOF_EXPIRED', 'OFFENDER'] as const)(
  '%s is final: the client does not come back',
  async (name) => {
    const { line, connecting } = await dial('', {})
    await greeted(line)
    const client = await connecting
    const closed = new Promise((resolve) => client.on('closed', resolve))
    line.send(drop(0, Code[name]))
    line.close()
    expect(await closed).toMatchObject({ error: { code: name, temporary: false } })
  },
)
