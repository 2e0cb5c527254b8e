/** The programs in examples/, on a real gateway with real sockets. */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sha256 } from '../../gateway/identity/sha256.ts'
import { say, text } from '../support/client-frames.ts'
import { textOf } from '../support/heard.ts'
import { OPEN } from '../support/memory-store.ts'
import { root } from '../tidy/root.ts'
import { Stage, type Visitor } from './stage.ts'

let stage: Stage
beforeAll(async () => {
  stage = await Stage.open({ folder: join(root, 'examples/programs') })
})
afterAll(() => stage.close())

/** Sends, and resolves with the receipt's reason; `` where it was let through. */
async function speak(visitor: Visitor, id: number, content: string, to: string): Promise<string> {
  visitor.socket.packet(text(id, content, { to: [`room:${to}`] }))
  const { body } = await visitor.until(`${id} receipt`)
  return body.case === 'receipt' ? body.value.detail : 'no receipt'
}

async function hear(visitor: Visitor): Promise<string> {
  const { body } = await visitor.until('envelope')
  return body.case === 'envelope' ? textOf(body.value) : ''
}

test('a moderated chat welcomes, refuses words, and mutes who insists', async () => {
  stage.room('acme/lounge', 'moderated-chat', { options: { words: ['darn'], rate: 5 } })
  const [ann, ben] = [await stage.visitor('acme/lounge'), await stage.visitor('acme/lounge')]
  expect(await hear(ann)).toContain('Welcome')
  expect(await hear(ben)).toContain('Welcome')
  expect(await speak(ann, 10, 'hello', 'acme/lounge')).toBe('')
  expect(await hear(ben)).toBe('hello')
  expect(await speak(ann, 11, 'Darn it', 'acme/lounge')).toBe('not with that word')
  expect(await speak(ann, 12, 'darn', 'acme/lounge')).toBe('not with that word')
  expect(await speak(ann, 13, 'darn', 'acme/lounge')).toBe('you are muted')
  expect(await speak(ann, 14, 'sorry', 'acme/lounge')).toBe('you are muted')
  for (const id of [10, 11, 12, 13, 14]) await speak(ben, id, 'spam', 'acme/lounge')
  expect(await speak(ben, 15, 'spam', 'acme/lounge')).toContain('over 5 messages')
})

test('a quiz asks each player in turn, and tells all the score', async () => {
  const questions = [
    { ask: 'Two and two?', answer: '4' },
    { ask: 'Capital of France?', answer: 'paris' },
  ]
  stage.room('acme/quiz', 'quiz', { options: { questions } })
  const [ann, ben] = [await stage.visitor('acme/quiz'), await stage.visitor('acme/quiz')]
  const watcher = await stage.visitor('acme/quiz')
  expect(await hear(ann)).toBe('Two and two?')
  expect(await hear(watcher)).toBe('You may watch.')
  await speak(ben, 10, '4', 'acme/quiz')
  await speak(ann, 10, '4', 'acme/quiz')
  expect(JSON.parse(await hear(watcher))).toMatchObject({ isRight: true, score: 1 })
  expect(JSON.parse(await hear(ben))).toMatchObject({ isRight: true })
  expect(await hear(ben)).toBe('Capital of France?')
  await speak(ben, 11, 'Rome', 'acme/quiz')
  expect(JSON.parse(await hear(watcher))).toMatchObject({ isRight: false, score: 0 })
  await speak(ann, 11, '4', 'acme/quiz')
  await hear(watcher)
  expect(JSON.parse(await hear(watcher))).toHaveProperty('winner')
})

test('a gatekeeper asks for a lock, and moves who has opened it', async () => {
  const response = 'a response that nobody guesses'
  const hex = sha256(response).toString('hex')
  const preset = { challenge: 'who is there?', response_sha256: hex }
  const options = { acceptor: 'preset', options: preset, rooms: { pump: 'pumps' } }
  stage.room('acme/gate', 'gatekeeper', { options })
  stage.store.room('acme/pumps', OPEN)
  const [device, guesser] = [await stage.visitor('acme/gate'), await stage.visitor('acme/gate')]
  await device.until('challenge preset')
  expect(await speak(device, 10, 'pump', 'acme/gate')).toBe('the lock comes first')
  device.socket.packet(say(11, 'preset', response))
  await device.until('verdict passed')
  expect(await hear(device)).toBe('Which kind are you?')
  expect(await speak(device, 12, 'constructor', 'acme/gate')).toBe('no such kind of device')
  device.socket.packet(text(13, 'pump', { to: ['room:acme/gate'] }))
  await device.until('left room:acme/gate')
  expect(device.heard().join()).toContain('joined room:acme/pumps')
  await guesser.until('challenge preset')
  for (const id of [11, 12, 13]) guesser.socket.packet(say(id, 'preset', `guess ${id}`))
  await guesser.until('left room:acme/gate')
})
