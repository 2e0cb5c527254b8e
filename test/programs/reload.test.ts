/** Programs are begun anew when their files change, and the account hears what fails (R25). */
import { afterEach, expect, test } from 'vitest'
import { text } from '../support/client-frames.ts'
import { Stage, type Visitor } from './stage.ts'

let stage: Stage
afterEach(() => stage.close())

async function ask(visitor: Visitor, id: number): Promise<string> {
  visitor.socket.packet(text(id, 'x', { to: ['room:acme/hall'] }))
  const { body } = await visitor.until(`${id} receipt`)
  return body.case === 'receipt' ? body.value.detail : ''
}

function refusing(reason: string): string {
  return `message() { throw new Refused('${reason}') }`
}

test('a changed file: the program is another, and who is in stays', async () => {
  stage = await Stage.open({ watch: true })
  await stage.program('changing', refusing('first'))
  stage.room('acme/hall', 'changing')
  const visitor = await stage.visitor('acme/hall')
  expect(await ask(visitor, 10)).toBe('first')
  await stage.program('changing', refusing('second'))
  let id = 10
  while ((await ask(visitor, ++id)) !== 'second');
  await stage.file('changing.ts', 'no module {')
  expect(await stage.failure()).toContain('SyntaxError')
  await stage.program('changing', refusing('third'))
  while ((await ask(visitor, ++id)) !== 'third');
  expect(visitor.heard().join()).not.toContain('left')
})

test('a module that is mended is loaded with the next room, without a watch', async () => {
  stage = await Stage.open()
  stage.room('acme/hall', 'late')
  const visitor = await stage.visitor('acme/hall')
  expect(await stage.failure()).toContain('no module late')
  await visitor.until('left room:acme/hall')
  await stage.program('late', refusing('here'))
  const other = await stage.visitor('acme/hall')
  expect(await ask(other, 20)).toBe('here')
})
