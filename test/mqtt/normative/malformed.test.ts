/** What is no packet, and what no client may send: the end, with the word for it in MQTT 5. */
import { expect } from 'vitest'
import { prover, type Site } from './prover.ts'

const proves = prover()

proves(
  'wrong flags of the fixed header end the connection',
  {
    v311: '2.2.2-1 2.2.2-2 3.6.1-1 3.8.1-1 3.10.1-1 3.14.1-1 4.8.0-1',
    v5: '2.1.3-1 3.6.1-1 3.8.1-1 3.10.1-1 3.14.1-1 4.13.1-1',
  },
  async (at) => {
    const none = at.five ? '00' : ''
    const [five, four] = at.five ? ['07', '06'] : ['06', '05']
    const ok = {
      PUBACK: '40020001',
      PUBREC: '50020001',
      PUBREL: '62020001',
      PUBCOMP: '70020001',
      SUBSCRIBE: `82${five}0001${none}00017800`,
      UNSUBSCRIBE: `a2${four}0001${none}000178`,
      PINGREQ: 'c000',
      DISCONNECT: 'e000',
    }
    const wrong = Object.values(ok).flatMap((hex) => [1, 2, 4, 8].map((flag) => flagged(hex, flag)))
    expect(await survived(at, wrong)).toEqual([])
  },
)

proves('AUTH with flags ends the connection', { v5: '3.15.1-1' }, async (at) => {
  expect(await survived(at, ['f100', 'f200', 'f400', 'f800'])).toEqual([])
})

proves(
  'packet types that there are not, and those of a server, end the connection',
  { v311: '4.8.0-1', v5: '4.13.1-1' },
  async (at) => {
    const server = at.five
      ? ['2003000000', '900400010000', 'b00400010000', 'd000']
      : ['20020000', '9003000100', 'b0020001', 'd000', 'f000']
    expect(await survived(at, ['0000', ...server])).toEqual([])
  },
)

proves(
  'lengths that do not fit end the connection',
  { v311: '4.8.0-1', v5: '4.13.1-1' },
  async (at) => {
    const wrong = ['c0ffffffff7f', '30ffffffffff01', '400100', '6200', '300200ff', 'c00100']
    if (!at.five) wrong.push('4003000100', 'e0020000', '820700010001780000')
    expect(await survived(at, wrong)).toEqual([])
  },
)

proves(
  'a length of more bytes than it needs ends the connection',
  { v5: '1.5.5-1' },
  async (at) => {
    // PINGREQ, a PUBLISH without properties, one with a subscription's identifier.
    const wrong = ['c08000', '3006 0001 78 8000 78', '8208 0001 0380 0100 01 7800']
    expect(await survived(at, wrong)).toEqual([])
  },
)

proves(
  'properties twice, unknown, or of another packet, end the connection',
  { v5: '2.2.2-1 4.13.1-1' },
  async (at) => {
    const properties = [
      '01000100', // payload format twice
      '020000000102 00000001', // expiry twice
      '03000178 03000178', // content type twice
      '7f00', // unknown
      '1100000001', // session expiry
      '210001', // receive maximum
      '0102', // payload format 2
      '02000000', // cut off
    ]
    const wrong = properties.map((hex) => {
      const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex')
      const body = Buffer.concat([Buffer.from([0, 1, 0x78, bytes.length]), bytes])
      return Buffer.concat([Buffer.from([0x30, body.length]), body]).toString('hex')
    })
    // Longer than the packet, and cut off with it.
    expect(await survived(at, [...wrong, '3005 0001 78 7f00', '3003 0001 78'])).toEqual([])
  },
)

proves(
  'limits of 0, and wrong truth values, refuse the connection',
  { v5: '3.1.4-1 4.13.1-1' },
  async (at) => {
    const wrong = ['210000', '2700000000', '1702', '1902', '210001210001', '160000', '0b01']
    const accepted: string[] = []
    for (const hex of wrong) {
      const bytes = at.connectBytes()
      const start = bytes.indexOf('MQTT') + 8
      const properties = Buffer.from(hex, 'hex')
      expect(bytes[start]).toBe(0)
      bytes[start] = properties.length
      bytes[1]! += properties.length
      const before = bytes.subarray(0, start + 1)
      const client = await at.wrote(Buffer.concat([before, properties, bytes.subarray(start + 1)]))
      const answer = (await client.next().catch(() => undefined)) as { reasonCode?: number }
      if (answer && ![0x81, 0x82].includes(answer.reasonCode ?? 0)) accepted.push(hex)
    }
    expect(accepted).toEqual([])
  },
)

proves(
  'reason codes that a packet may not have end the connection',
  { v5: '3.4.2-1 3.5.2-1 3.6.2-1 3.7.2-1 3.14.2-1' },
  async (at) => {
    const wrong = ['4003000101', '5003000102', '6203000110', '7003000110', 'e00101']
    expect(await survived(at, wrong)).toEqual([])
  },
)

/** Those that do not end the connection, or not in the right way, or not that connection alone. */
async function survived(at: Site, all: readonly string[]): Promise<string[]> {
  const other = await at.client()
  const wrong: string[] = []
  for (const hex of all) {
    const client = await at.client()
    client.write(hex)
    client.send({ cmd: 'pingreq' })
    const alive = client.next('pingresp').then(
      () => 'went on',
      () => undefined,
    )
    const ended = at.ends(client, 0x81, 0x82, 0x95).then(
      () => undefined,
      (error: Error) => error.message,
    )
    const told = (await Promise.race([alive, ended])) ?? (await ended)
    if (told) wrong.push(`${hex}: ${told}`)
    client.reset()
  }
  expect(await other.settled()).toEqual([])
  return wrong
}

function flagged(hex: string, flag: number): string {
  const bytes = Buffer.from(hex, 'hex')
  bytes[0]! ^= flag
  return bytes.toString('hex')
}
