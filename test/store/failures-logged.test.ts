/** S3: what fails in the store is logged without what was to be stored. */
import { randomUUID } from 'node:crypto'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { DebianServer } from './debian.ts'
import { Fixture } from './fixture.ts'
import { message } from './histories-suite.ts'

const fixture = new Fixture(() => DebianServer.start())
beforeAll(() => fixture.open())
afterAll(() => fixture.close())

const SECRET = 'what-nobody-is-to-read'

/** Everything that could be written with a secret in it. */
async function writes(): Promise<(() => Promise<unknown>)[]> {
  const { histories, retained, credentials, rooms, clients } = fixture.store
  const { id: roomId, account, slug, config } = await fixture.newRoom()
  const { generation } = await histories.claim(roomId)
  const [text, data] = [SECRET, { hash: SECRET }]
  const body = Buffer.from(SECRET)
  const one = message(1, { body, from: text, channel: text })
  const credential = { id: randomUUID(), kind: 'password', account: account.id, data } as const
  await clients.ensure(account.id, 'ann')
  return [
    () => histories.append([{ roomId, generation, messages: [one] }]),
    () => retained.save([{ roomId, channel: text, message: one }]),
    () => credentials.add({ ...credential, client: 'ann', label: text }),
    () => rooms.configure(account.id, slug, config, text),
  ]
}

function failureOf(write: () => Promise<unknown>): Promise<Error> {
  return write().then(
    () => expect.fail('it was stored'),
    (error: Error) => error,
  )
}

/** As the gateway logs it. */
function logged(errors: readonly Error[]): string {
  const lines: string[] = []
  const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) })
  for (const err of errors) log.error({ err }, 'failed')
  return lines.join('')
}

const HEX = Buffer.from(SECRET).toString('hex')

test('neither where it takes too long, nor where it is ended', async () => {
  const all = await writes()
  const sql = fixture.server.sql()
  onTestFinished(() => sql.end({ timeout: 0 }))
  const holder = await sql.reserve()
  await holder`begin`
  await holder`lock table histories, retained, credentials, rooms`
  const slow = await Promise.all(all.map(failureOf))
  let cut: readonly Error[] | undefined
  const ended = Promise.all(all.map(failureOf)).then((errors) => {
    cut = errors
  })
  // They come to wait for the lock one after the other, each to be ended there.
  await vi.waitFor(
    async () => {
      await holder`select pg_stat_clear_snapshot()`
      await holder`
        select pg_terminate_backend(pid) from pg_stat_activity
        where wait_event_type = 'Lock' and pid <> pg_backend_pid()`
      expect(cut).toBeDefined()
    },
    { timeout: 20_000 },
  )
  await ended
  const text = logged([...slow, ...(cut ?? [])])
  expect(text.split('\n')).toHaveLength(2 * all.length + 1)
  for (const secret of [SECRET, HEX]) expect(text).not.toContain(secret)
})
