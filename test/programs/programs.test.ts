/** Programs of rooms: what they see, what they decide, and what they can have done (R25). */
import { Code } from '@porthouse/proto/v1/code'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { leave, text } from '../support/client-frames.ts'
import { Stage, type Visitor } from './stage.ts'

let stage: Stage
beforeAll(async () => {
  stage = await Stage.open()
})
afterAll(() => stage.close())

let rooms = 0

/** A room of an account of its own, with this program. */
async function room(hooks: string, options = {}): Promise<string> {
  const name = `program-${++rooms}`
  await stage.program(name, hooks)
  const address = `acme-${rooms}/hall`
  stage.room(address, name, options)
  return address
}

function say(visitor: Visitor, id: number, content: string, to: string, rest = {}): void {
  visitor.socket.packet(text(id, content, { to: [to] }, rest))
}

test('what it lets through goes on in order, what it refuses gets its word', async () => {
  const address = await room(`message(message) {
    if (message.text === 'no') return false
    if (message.text === 'why') throw new Refused('because')
  }`)
  const [speaker, hearer] = [await stage.visitor(address), await stage.visitor(address)]
  for (const [at, word] of ['one', 'no', 'two', 'why', 'three'].entries()) {
    say(speaker, at + 10, word, `room:${address}`)
  }
  await speaker.until('14 receipt')
  await hearer.until('envelope three')
  expect(speaker.heard().filter((line) => line.includes('receipt'))).toEqual([
    '10 receipt ROUTED 1',
    '11 receipt REJECTED PROGRAM_REFUSED',
    '12 receipt ROUTED 1',
    '13 receipt REJECTED PROGRAM_REFUSED',
    '14 receipt ROUTED 1',
  ])
  expect(hearer.heard().filter((line) => line.includes('envelope'))).toEqual([
    '0 envelope one',
    '0 envelope two',
    '0 envelope three',
  ])
})

test('the reason is told, cut to 200 bytes', async () => {
  const address = await room(`message() { throw new Refused('ä'.repeat(1_000_000)) }`)
  const speaker = await stage.visitor(address)
  say(speaker, 10, 'x', `room:${address}`)
  const { body } = await speaker.until('receipt')
  expect(body.case === 'receipt' && body.value.detail).toBe('ä'.repeat(100))
})

test('it sees all of a message, and answers its sender alone, as the room', async () => {
  const address = await room(`message(message, socket) {
    const { text, headers, contentType, channel, from } = message
    message.reply({ text, headers, contentType, channel, isHis: from === socket.address })
    return false
  }`)
  const [speaker, other] = [await stage.visitor(address), await stage.visitor(address)]
  const correlationId = Buffer.from([1, 255])
  const headers = { a: 'b', __proto__: 'x' }
  say(speaker, 10, 'hi', `room:${address}/news`, { contentType: 'text/x', headers, correlationId })
  const { body } = await speaker.until('envelope')
  if (body.case !== 'envelope') throw new Error('no envelope')
  expect(JSON.parse(String(body.value.content.value))).toEqual({
    text: 'hi',
    headers: { a: 'b' },
    contentType: 'text/x',
    channel: 'news',
    isHis: true,
  })
  expect(body.value.stamp?.from).toBe(`room:${address}`)
  expect(Buffer.from(body.value.correlationId)).toEqual(correlationId)
  other.socket.packet(leave(11, `room:${address}`))
  await other.until('11 left')
  expect(other.heard().some((line) => line.includes('envelope'))).toBe(false)
})

test('comings and goings are told, and a state is kept for the room', async () => {
  const address = await room(`
    state: () => ({ count: 0 }),
    initial(socket, room) { room.send('in ' + ++room.state.count + ' of ' + room.sockets.size) },
    left(socket, room) { room.send('out, left ' + room.sockets.size) },`)
  const watcher = await stage.visitor(address)
  await watcher.until('in 1 of 1')
  const other = await stage.visitor(address)
  await watcher.until('in 2 of 2')
  other.socket.reset()
  await watcher.until('out, left 1')
})

test('whom it refuses at his coming is put out', async () => {
  const address = await room(`initial() { throw new Refused('members only') }`)
  const visitor = await stage.visitor(address)
  const { body } = await visitor.until('left')
  const left = body.case === 'room' && body.value.action.case === 'left' && body.value.action.value
  expect(left).toMatchObject({ code: Code.PROGRAM_REFUSED, detail: 'members only' })
})

test('it has a socket hear channels, puts it out, and moves it', async () => {
  const address = await room(`async message(message, socket, room) {
    const [verb, what] = message.text.split(' ')
    if (verb === 'drop') await socket.drop('go')
    if (verb === 'move') socket.move(what)
    if (verb === 'hear') await socket.subscribe(what)
    return false
  }`)
  const account = address.split('/')[0]
  stage.store.room(`${account}/cellar`, { case: 'access', value: { locks: [] } as never })
  const visitor = await stage.visitor(address)
  say(visitor, 10, 'hear news/*', `room:${address}`)
  await visitor.until(`joined room:${address}/news/*`)
  say(visitor, 11, 'move cellar', `room:${address}`)
  await visitor.until(`joined room:${account}/cellar`)
  await visitor.until(`left room:${address}`)
  const other = await stage.visitor(address)
  say(other, 12, 'drop', `room:${address}`)
  await other.until(`left room:${address}`)
})

test('what it may not have done is refused with a code', async () => {
  const address = await room(`async message(message, socket, room) {
    const wrong = [
      () => socket.subscribe('#'),
      () => socket.move('../x'),
      () => socket.move('nowhere'),
      () => socket.lock('no-such'),
      () => room.send('x', { channel: 'a/*' }),
      () => room.send('x'.repeat(300_000)),
      () => room.send('x', { headers: { a: 'b'.repeat(9_000) } }),
    ]
    const codes = []
    for (const each of wrong) codes.push(await each().then(() => 'done', (error) => error.code))
    await message.reply(codes.join(' '))
  }`)
  const visitor = await stage.visitor(address)
  say(visitor, 10, 'x', `room:${address}`)
  const { body } = await visitor.until('envelope')
  expect(body.case === 'envelope' && body.value.content.value).toBe(
    'ADDRESS_INVALID ADDRESS_INVALID ROOM_UNKNOWN PROGRAM_FAILED ADDRESS_INVALID ' +
      'PAYLOAD_TOO_LARGE HEADERS_TOO_LARGE',
  )
})

test('10,000 messages at once: each is answered, and what goes on keeps its order', async () => {
  const address = await room(`message() {}`)
  const [speaker, hearer] = [await stage.visitor(address), await stage.visitor(address)]
  const all = Array.from({ length: 10_000 }, (_, at) => at)
  for (let from = 0; from < all.length; from += 1_000) {
    speaker.socket.packet(
      ...all
        .slice(from, from + 1_000)
        .map((at) => text(at + 10, `${at}`, { to: [`room:${address}`] })),
    )
  }
  const receipts = await speaker.socket.frames(all.length)
  const routed = receipts.filter(({ body }) => body.case === 'receipt' && body.value.sockets === 1)
  const refusals = receipts.flatMap(({ body }) =>
    body.case === 'receipt' && body.value.code !== 0 ? [body.value.code] : [],
  )
  expect(new Set(receipts.map(({ id }) => id)).size).toBe(all.length)
  expect(new Set(refusals)).toEqual(new Set(refusals.length > 0 ? [Code.PROGRAM_FAILED] : []))
  expect(routed.length + refusals.length).toBe(all.length)
  const heard = await hearer.socket.frames(routed.length)
  const numbers = heard.map(({ body }) =>
    Number(body.case === 'envelope' ? body.value.content.value : Number.NaN),
  )
  expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
})
