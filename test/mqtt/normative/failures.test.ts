/** What fails for a moment, and what is not allowed: refused, and never acknowledged as done. */
import { expect } from 'vitest'
import { StoreError } from '../../../gateway/store/store.ts'
import { TestGateway } from '../../support/gateway.ts'
import { prover } from './prover.ts'
import { ROOM, targetOf } from './target.ts'

/** A room of which the store cannot say anything for now. */
const AWAY = 'acme/attic'
/** A room that the token has no right in. */
const FORBIDDEN = 'acme/vault'

const proves = prover({}, async () => {
  const base = await TestGateway.start()
  for (const room of [ROOM, AWAY, FORBIDDEN]) await base.room(room)
  const password = await base.token('acme', ['boiler', 'attic'])
  const rooms = {
    ...base.store.rooms,
    find: (account: string, room: string) =>
      room === 'attic'
        ? Promise.reject(new StoreError('unavailable', 'away'))
        : base.store.rooms.find(account, room),
  }
  const gateway = await base.beside({}, { ...base.store, rooms })
  const target = targetOf(gateway, { username: 'acme', password })
  return {
    ...target,
    async stop() {
      await gateway.stop()
      await base.stop()
    },
  }
})

proves(
  'where a PUBLISH fails for a moment, it is not acknowledged: the connection closes',
  { v311: '4.8.0-2' },
  async (at) => {
    for (const qos of [1, 2] as const) {
      const client = await at.client()
      client.sendPublish(`${AWAY}/a`, 'x', { qos })
      expect(await client.rest()).toEqual([])
    }
  },
)

proves(
  'a PUBLISH without right closes the connection, or is told to be without',
  { v311: '3.3.5-2', v5: '3.4.2-1 3.5.2-1' },
  async (at) => {
    for (const qos of [1, 2] as const) {
      const client = await at.client()
      client.sendPublish(`${FORBIDDEN}/a`, 'x', { qos })
      if (at.five) expect(await client.next()).toMatchObject({ reasonCode: 0x87 })
      else expect(await client.rest()).toEqual([])
    }
  },
)

proves(
  'a SUBSCRIBE without right is refused by the code of its filter alone',
  { v311: '3.8.4-5 3.9.3-1 3.9.3-2', v5: '3.8.4-7 3.9.3-1 3.9.3-2' },
  async (at) => {
    const client = await at.client()
    const refused = at.five ? 0x87 : 0x80
    const filters = [FORBIDDEN, at.topic, `${FORBIDDEN}/#`]
    expect(await client.subscribe(filters, 1)).toEqual([refused, 1, refused])
    await client.publish(at.topic, 'x', { qos: 1 })
    expect(await client.message()).toMatchObject({ topic: at.topic, qos: 1 })
  },
)
