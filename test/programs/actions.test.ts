/** What programs do to sessions: locks that are given up, and whom failures are told (R10, R25). */
import { Code } from '@porthouse/proto/v1/code'
import { EventKind } from '@porthouse/proto/v1/event'
import { expect, test } from 'vitest'
import { sha256 } from '../../gateway/identity/sha256.ts'
import { join, leave, say } from '../support/client-frames.ts'
import { OPEN } from '../support/memory-store.ts'
import { command, events, hallWithKeys, hears, owner } from '../support/staff.ts'
import { programBlock, Stage } from './stage.ts'

test('a failure is told the account, and neither its members nor another account', async () => {
  const hall = hallWithKeys()
  hall.store.room('acme/hall', OPEN, programBlock('any'))
  hall.store.room('other/hall', OPEN)
  const boss = await owner(hall, 'acme')
  const other = await owner(hall, 'other')
  boss.say(command(9, 'watch', { of: 'lobby:acme' }))
  other.say(command(9, 'watch', { of: 'lobby:other' }))
  await hears(hall, boss)
  const member = hall.open()
  member.say(join(1, 'room:acme/hall'), command(2, 'watch', {}))
  const told = await events(hall, boss)
  expect(told.filter(({ kind }) => kind === EventKind.FAILED)).toMatchObject([
    {
      place: 'room:acme/hall',
      code: Code.PROGRAM_FAILED,
      detail: expect.stringContaining('folder'),
    },
  ])
  for (const each of [other, member]) {
    const kinds = (await events(hall, each)).map(({ kind }) => kind)
    expect(kinds).not.toContain(EventKind.FAILED)
  }
})

test('who leaves while he is asked for a lock is not in again when he opens it', async () => {
  const stage = await Stage.open()
  try {
    const response = 'the right response'
    const response_sha256 = sha256(response).toString('hex')
    const options = JSON.stringify({ options: { challenge: 'who?', response_sha256 } })
    await stage.program(
      'asking',
      `initial(socket, room) {
        socket.lock('preset', ${options}).catch((error) => room.send(error.code))
      }`,
    )
    stage.room('acme/hall', 'asking')
    const visitor = await stage.visitor('acme/hall')
    await visitor.until('challenge preset')
    visitor.socket.packet(leave(10, 'room:acme/hall'), say(11, 'preset', response))
    await visitor.until('10 left')
    visitor.socket.packet(command(12, 'listRooms', {}))
    const { body } = await visitor.until('12 command')
    const rooms =
      body.case === 'command' && body.value.action.case === 'rooms' && body.value.action.value.rooms
    expect(rooms).toEqual([])
  } finally {
    await stage.close()
  }
})
