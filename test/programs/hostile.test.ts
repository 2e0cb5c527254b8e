/** Programs that fail in every way: the room, its members and the gateway go on (R25). */

import { Otherwise } from '@porthouse/proto/room/v1/program'
import { Code } from '@porthouse/proto/v1/code'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { codeInfo } from '../../gateway/protocol/codes.ts'
import { text } from '../support/client-frames.ts'
import { programBlock, Stage, type Visitor } from './stage.ts'

let stage: Stage
beforeEach(async () => {
  stage = await Stage.open({ memoryMb: 32 })
})
afterEach(() => stage.close())

const PLAIN = `message(message) { if (message.text === 'no') return false }`

async function room(hooks: string, more = {}, address = 'acme/hall'): Promise<string> {
  const module = address.replace('/', '-')
  await stage.program(module, hooks)
  stage.room(address, module, { budgetMs: 300, ...more })
  return address
}

let ids = 10
/** Sends, and resolves with what the receipt says. */
async function send(visitor: Visitor, content: string, to = 'acme/hall'): Promise<string> {
  const id = ++ids
  visitor.socket.packet(text(id, content, { to: [`room:${to}`] }))
  const { body } = await visitor.until(`${id} receipt`)
  if (body.case !== 'receipt') throw new Error('no receipt')
  const { code } = body.value
  return code === Code.UNSPECIFIED ? 'PASSED' : codeInfo(code).name
}

/** Until the program, which begins anew after a failure, answers. */
async function recovered(visitor: Visitor, to = 'acme/hall'): Promise<void> {
  while ((await send(visitor, 'no', to)) !== 'PROGRAM_REFUSED');
}

const DEADLY: Record<string, string> = {
  'a loop': 'for (;;);',
  'a promise that never ends': 'return new Promise(() => {})',
  'an end of the process': 'process.exit(0)',
  'an abort': 'process.abort()',
  'a heap that grows': 'const all = []; for (;;) all.push(new Array(1_000).fill(1))',
  'one large allocation': 'return new Array(2e8).fill(0).length',
  'a loop that was put off': 'await null; for (;;);',
}

describe('what ends all programs of the account, which begin anew', () => {
  for (const [name, code] of Object.entries(DEADLY)) {
    test(name, async () => {
      const hooks = `async message(message) {
        if (message.text === 'bad') { ${code} }
        if (message.text === 'no') return false
      }`
      const address = await room(hooks)
      await room(PLAIN, {}, 'acme/other')
      const visitor = await stage.visitor(address)
      const other = await stage.visitor('acme/other')
      await recovered(visitor)
      expect(await send(visitor, 'bad')).toBe('PROGRAM_FAILED')
      expect(await stage.failure()).not.toBe('')
      await recovered(visitor)
      await recovered(other, 'acme/other')
      expect(await send(visitor, 'fine')).toBe('PASSED')
    })
  }
})

const THROWS: Record<string, string> = {
  'an error': "throw new Error('oh')",
  nothing: 'throw undefined',
  'what cannot be named': 'throw { toString() { throw 1 } }',
  'a rejection': "return Promise.reject(new Error('oh'))",
}

for (const [name, code] of Object.entries(THROWS)) {
  test(`a message hook that throws ${name}`, async () => {
    const visitor = await stage.visitor(await room(`message(message) { ${code} }`))
    expect(await send(visitor, 'x')).toBe('PROGRAM_FAILED')
    await stage.failure()
    expect(await send(visitor, 'x')).toBe('PROGRAM_FAILED')
  })
}

test('a left hook that throws', async () => {
  const address = await room(`left() { throw new Error('left') }, ${PLAIN}`)
  const [visitor, other] = [await stage.visitor(address), await stage.visitor(address)]
  await recovered(visitor)
  await recovered(other)
  other.socket.reset()
  expect(await stage.failure()).toContain('left')
  await recovered(visitor)
})

test('an initial hook that throws: nobody new, unless the room lets pass', async () => {
  const closed = await room(`initial() { throw new Error('first') }`)
  const visitor = await stage.visitor(closed)
  const { body } = await visitor.until('left')
  const left = body.case === 'room' && body.value.action.case === 'left' && body.value.action.value
  expect(left).toMatchObject({ code: Code.PROGRAM_FAILED })
  expect(await stage.failure()).toContain('first')
  const open = await room(`initial() { throw 1 }`, { otherwise: Otherwise.PASS }, 'acme/open')
  const guest = await stage.visitor(open)
  expect(await send(guest, 'x', open)).toBe('PASSED')
})

test('who is in stays when the program begins anew, and is met again', async () => {
  const address = await room(`
    initial(socket, room) { if (socket.again) room.send('again') },
    message(message) { if (message.text === 'bad') process.exit(1) },`)
  const visitor = await stage.visitor(address)
  expect(await send(visitor, 'fine')).toBe('PASSED')
  expect(await send(visitor, 'bad')).toBe('PROGRAM_FAILED')
  await visitor.until('envelope again')
})

test('a state, or a timer, that throws; a promise that nobody looks at', async () => {
  const address = await room(`
    state() { return {} },
    initial(socket, room) {
      room.after(0, () => { throw new Error('timer') })
      setTimeout(() => { throw new Error('bare timer') }, 1)
      Promise.reject(new Error('nobody'))
    }, ${PLAIN}`)
  const visitor = await stage.visitor(address)
  const failures = [await stage.failure(), await stage.failure(), await stage.failure()]
  expect(failures.map((each) => each.replace('Error: ', '')).sort()).toEqual([
    'bare timer',
    'nobody',
    'timer',
  ])
  await recovered(visitor)
  await room(`state() { throw new Error('state') }`, {}, 'acme/state')
  await stage.visitor('acme/state')
  expect(await stage.failure()).toContain('state')
})

const UNLOADABLE: Record<string, string | undefined> = {
  'is missing': undefined,
  'has a syntax error': 'export default {',
  throws: 'throw new Error("load")',
  'exports nothing': 'export const x = 1',
  'exports null': 'export default null',
  'has a hook that is none': 'export default { message: 1 }',
  'imports what is not there': 'import "nowhere"',
}

for (const [name, source] of Object.entries(UNLOADABLE)) {
  test(`a module that ${name}: told, and the others go on`, async () => {
    if (source !== undefined) await stage.file('broken.js', source)
    stage.room('acme/broken', 'broken', { otherwise: Otherwise.PASS })
    const other = await stage.visitor(await room(PLAIN))
    await recovered(other)
    const visitor = await stage.visitor('acme/broken')
    expect(await stage.failure()).not.toBe('')
    expect(await send(visitor, 'x', 'acme/broken')).toBe('PASSED')
    expect(await send(other, 'no')).toBe('PROGRAM_REFUSED')
    expect(stage.failures).toEqual([])
  })
}

function asked(name: string): string {
  return `JSON.stringify({ type: 'command', command: 1, room: 1, what: { name: '${name}' } })`
}

const GARBAGE: Record<string, string> = {
  'no JSON': "'{'",
  null: "'null'",
  'another type': `JSON.stringify({ type: 'x' })`,
  'an end of what never began': `JSON.stringify({ type: 'ended', call: 1e6 })`,
  'a beginning of what was not asked': `JSON.stringify({ type: 'began', call: 1e6 })`,
  'an answer to no ping': `'{"type":"pong","external":1}\\n{"type":"pong","external":1}'`,
  'a line without end': `'x'.repeat(4_000_000)`,
  'bytes that are no text': `Buffer.from([0xff, 0xfe, 0])`,
  depth: `'['.repeat(100_000)`,
  'a command of an unknown name': asked('constructor'),
  'a flood of commands': `(${asked('send')} + '\\n').repeat(5_000)`,
}

for (const [name, line] of Object.entries(GARBAGE)) {
  test(`a process that says ${name} is ended, and begins anew`, async () => {
    const address = await room(`message(message) {
      if (message.text === 'no') return false
      import('node:fs').then((fs) => { fs.writeSync(3, ${line}); fs.writeSync(3, '\\n') })
      return new Promise((resolve) => setTimeout(resolve, 200))
    }`)
    const visitor = await stage.visitor(address)
    await recovered(visitor)
    expect(await send(visitor, 'bad')).toBe('PROGRAM_FAILED')
    expect(await stage.failure()).not.toContain('took over')
    await recovered(visitor)
  })
}

test('buffers that are kept, beyond the heap', async () => {
  const kept = `const kept = []; kept.push(Buffer.alloc(64e6, 1)); globalThis.kept = kept`
  const address = await room(`message(message) {
    if (message.text === 'no') return false
    ${kept}
  }`)
  const visitor = await stage.visitor(address)
  expect(await send(visitor, 'bad')).toBe('PASSED')
  expect(await stage.failure()).toContain('MiB of buffers')
  await recovered(visitor)
})

test('one that fails again and again is not started again and again', async () => {
  const address = await room(`message() { process.exit() }`, { otherwise: Otherwise.PASS })
  const visitor = await stage.visitor(address)
  for (let i = 0; i < 200; i++) expect(await send(visitor, 'x')).toBe('PASSED')
  expect(stage.failures.length).toBeLessThan(10)
})

test('options with __proto__ are options and nothing more', async () => {
  const options = JSON.parse(
    '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
  )
  const address = await room(
    `message(message, socket, room) {
       socket.lock('token', { options: JSON.parse('{"__proto__":{"polluted":1}}') })
       return ({}).polluted === undefined && room.options.polluted === undefined
     }`,
    { options },
  )
  const visitor = await stage.visitor(address)
  expect(await send(visitor, 'x')).toBe('PASSED')
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
})

test('it has neither environment nor input of the gateway, and its output is bounded', async () => {
  const address = await room(
    `message() {
    for (let i = 0; i < 10_000; i++) console.log('x'.repeat(100))
    return Object.keys(process.env).length === 0 && process.stdin.isTTY !== true
  }`,
    { budgetMs: 5_000 },
  )
  const visitor = await stage.visitor(address)
  expect(await send(visitor, 'x')).toBe('PASSED')
})

test('a config may take the program away, and bring another, and nobody is put out', async () => {
  const address = await room(`message() { return false }`)
  const visitor = await stage.visitor(address)
  expect(await send(visitor, 'x')).toBe('PROGRAM_REFUSED')
  const open = { case: 'access', value: { locks: [] } as never } as const
  stage.store.configure(address, open)
  while ((await send(visitor, 'x')) !== 'PASSED');
  await stage.program('second', PLAIN)
  stage.store.configure(address, open, programBlock('second'))
  await recovered(visitor)
})
