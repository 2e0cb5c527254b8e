/**
 * P-13: the gateway has no file descriptor left. Who is connected goes on, who comes is turned
 * away, and when there are some again everybody is let in.
 */
import { readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Crowd } from './load/crowd.ts'
import { DURABLE, House } from './load/house.ts'
import { report } from './load/report.ts'
import { Subscriber } from './load/subscriber.ts'

const DESCRIPTORS = 160
const STRANGERS = 400

test('no descriptor left', { timeout: 60_000 }, async () => {
  const shell = `ulimit -n ${DESCRIPTORS}`
  // Strangers hold theirs for as long as the test takes.
  const env = { PORTHOUSE_LIMBO_DEADLINE_MS: '60000' }
  const house = await House.build({ rooms: { board: [DURABLE] }, shell, env })
  onTestFinished(() => house.close())
  await house.start()
  const crowd = await Crowd.gather({ house, rooms: ['board'], perSecond: 500 })
  await crowd.stores()
  const lines = [...crowd.publishers, ...crowd.subscribers].map(({ line }) => line)
  const shown = crowd.journal.plan('all descriptors in use')
  const open = () => readdirSync(`/proc/${house.pid}/fd`).length
  const before = open()

  const port = Number(new URL(house.url).port)
  const strangers = Array.from({ length: STRANGERS }, () => {
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    return { socket, closed: new Promise((resolve) => socket.once('close', resolve)) }
  })
  await vi.waitFor(() => expect(open()).toBeGreaterThan(DESCRIPTORS - 3), { timeout: 20_000 })
  shown()
  const fullAt = performance.now()
  await crowd.hearsAfter(fullAt + 2_000)
  const worked = performance.now() - fullAt
  const during = open()
  for (const { socket } of strangers) socket.destroy()
  await Promise.all(strangers.map(({ closed }) => closed))
  const { way } = house
  const late = new Subscriber({ way, journal: crowd.journal, room: 'acme/board', name: 'late' })
  crowd.subscribers.push(late)
  await late.live()
  await vi.waitFor(() => expect(open()).toBeLessThan(before + 10), { timeout: 20_000 })
  const verdict = await crowd.judge()
  const logged = house.log.split('\n').length - 1
  report('P-13 no descriptor left', {
    ...crowd.figures(verdict),
    before,
    during,
    'worked on for ms': worked,
    'log lines': logged,
  })
  expect(verdict.complaints).toEqual([])
  for (const { connections } of lines) expect(connections).toBe(1)
  expect(logged).toBeLessThan(5)
})
