/** PINGREQ and DISCONNECT. */
import { expect } from 'vitest'
import { prover } from './prover.ts'

const proves = prover()

proves('PINGREQ is answered', { v311: '3.12.4-1', v5: '3.12.4-1' }, async (at) => {
  const client = await at.client()
  for (let i = 0; i < 3; i++) client.send({ cmd: 'pingreq' })
  for (let i = 0; i < 3; i++) expect((await client.next()).cmd).toBe('pingresp')
})

proves(
  'after DISCONNECT nothing more comes, and what follows it is not processed',
  { v311: '3.14.4-1 3.14.4-2', v5: '3.14.4-1 3.14.4-2' },
  async (at) => {
    const watcher = await at.client()
    await watcher.subscribe(at.topic)
    const client = await at.client()
    await client.subscribe(at.topic)
    const late = { topic: at.topic, payload: 'late', qos: 0, dup: false, retain: false } as const
    const packets = [
      at.bytes({ cmd: 'disconnect' } as never),
      at.bytes({ cmd: 'publish', ...late }),
    ]
    client.write(Buffer.concat(packets))
    expect(await client.rest()).toEqual([])
    await watcher.publish(at.topic, 'the first')
    expect((await watcher.message()).payload.toString()).toBe('the first')
  },
)

proves(
  'a DISCONNECT of the server is its last packet, of a known reason and without an expiry',
  { v5: '3.14.2-1 3.14.2-2 3.14.4-1 3.14.4-2 4.13.2-1' },
  async (at) => {
    const client = await at.client(at.kept(at.name()))
    client.write('c08080808001')
    const told = await client.rest()
    if (told.length === 0 && at.target.lenient) return
    expect(told).toMatchObject([{ cmd: 'disconnect', reasonCode: 0x81 }])
    const { properties } = told[0] as { properties?: object }
    expect(properties ?? {}).not.toHaveProperty('sessionExpiryInterval')
  },
)
