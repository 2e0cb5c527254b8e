/** A room's program sees members of each medium, and may do the same with them (R25, R54). */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Code } from '@porthouse/proto/v1/code'
import { ReceiptStatus } from '@porthouse/proto/v1/receipt'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { programBlock } from '../../programs/stage.ts'
import { TestGateway } from '../../support/gateway.ts'
import { resetMqttClients } from '../../support/mqtt-client.ts'
import { resetRawWebSockets } from '../../support/raw-websocket.ts'
import { MEDIA } from './guest.ts'
import { comes, newRoom } from './guests.ts'

const PROGRAM = `import { defineRoom, Refused } from 'porthouse/room'
export default defineRoom({
  async initial(socket, room) {
    socket.send('welcome ' + socket.address)
  },
  async message(message, socket, room) {
    const [verb, what] = (message.text ?? Buffer.from(message.payload).toString()).split(' ')
    if (verb === 'darn') throw new Refused('not with that word')
    if (verb === 'hear') await socket.subscribe(what)
    if (verb === 'deaf') await socket.unsubscribe(what)
    if (verb === 'move') void socket.move(what)
    if (verb === 'drop') await socket.drop('go')
    if (verb === 'echo') message.reply(what)
    if (verb === 'who') message.reply(String([...room.sockets.keys()].length))
    return verb === 'say'
  },
})`

let gateway: TestGateway
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'porthouse-programs-'))
  await writeFile(join(folder, 'host.ts'), PROGRAM)
  gateway = await TestGateway.start({ programs: { folder } })
})
afterEach(() => {
  resetMqttClients()
  resetRawWebSockets()
})
afterAll(async () => {
  await gateway?.stop()
  await rm(folder, { recursive: true, force: true })
})

describe.each(MEDIA)('over %s', (medium) => {
  async function enters(room: string, secret: string) {
    const guest = await comes(gateway, medium, secret)
    await guest.enters(room)
    expect(await guest.hasTold('envelope')).toMatchObject({
      content: { value: expect.stringMatching(/^welcome (socket|token):/) },
      stamp: { from: `room:${room}` },
    })
    return guest
  }

  test('it greets, answers and refuses', async () => {
    const { room, secret } = await newRoom(gateway, programBlock('host'))
    const guest = await enters(room, secret)
    await guest.says(room, 'echo hello')
    expect(await guest.hasTold('envelope')).toMatchObject({ content: { value: 'hello' } })
    expect(await guest.says(room, 'darn it')).toMatchObject({
      status: ReceiptStatus.REJECTED,
      code: Code.PROGRAM_REFUSED,
    })
    const other = await comes(gateway, 'binary', secret)
    await other.enters(room)
    await guest.says(room, 'say on')
    expect(await other.hearsText()).toBe('say on')
    await guest.says(room, 'who')
    expect(await guest.hasTold('envelope')).toMatchObject({ content: { value: '2' } })
  })

  test('it has him hear channels that he has not asked for, and no longer', async () => {
    const { room, secret } = await newRoom(gateway, programBlock('host'))
    const guest = await comes(gateway, medium, secret)
    const other = await comes(gateway, 'binary', secret)
    await guest.enters(room, { sendOnly: true })
    await guest.told('envelope')
    await guest.says(room, 'hear news/*')
    expect(await guest.hasTold('joined')).toMatchObject({ address: `room:${room}/news/*` })
    const news = { channel: 'news/1', content: 'say news' }
    expect(await other.says(room, news)).toMatchObject({ sockets: 1 })
    expect(await guest.hears()).toMatchObject({ channel: 'news/1', bytes: Buffer.from('say news') })
    await guest.says(room, 'deaf news/*')
    expect(await guest.hasTold('left')).toMatchObject({ address: `room:${room}/news/*` })
    expect((await other.says(room, news)).status).toBe(ReceiptStatus.VOID)
  })

  test('it puts him out', async () => {
    const { room, secret } = await newRoom(gateway, programBlock('host'))
    const guest = await enters(room, secret)
    void guest.says(room, 'drop').catch(() => undefined)
    expect(await guest.hasTold('left')).toMatchObject({ code: Code.PROGRAM_REFUSED, detail: 'go' })
  })

  test('it moves him to another room', async () => {
    const { room, secret: own } = await newRoom(gateway, programBlock('host'))
    const { room: cellar } = await newRoom(gateway)
    const rooms = [room, cellar].map((each) => each.split('/')[1] as string)
    const guest = await enters(room, await gateway.token('acme', rooms))
    await guest.says(room, `move ${rooms[1]}`)
    expect(await guest.hasTold('left')).toMatchObject({ address: `room:${room}` })
    const { rooms: here } = (await guest.commands('listRooms', {})) as {
      rooms: { address: string }[]
    }
    expect(here.map(({ address }) => address)).toEqual([`room:${cellar}`])
    if (medium.startsWith('mqtt')) await guest.enters(cellar)
    const other = await comes(gateway, 'json', await gateway.token('acme', rooms))
    await other.says(cellar, 'here')
    expect(await guest.hearsText()).toBe('here')
    const late = await comes(gateway, 'json', own)
    await late.says(room, 'say nothing')
    expect(guest.waiting).toEqual([])
  })
})
