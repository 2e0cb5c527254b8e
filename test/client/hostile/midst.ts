/** A client in the midst of things, and its gateway, every frame of which a test says. */
import type { MessageInitShape } from '@bufbuild/protobuf'
import type { FrameSchema } from '@porthouse/proto/v1/frame'
import { expect } from 'vitest'
import {
  type Client,
  type ClientEvents,
  type ConnectOptions,
  connect,
  type Room,
} from '../../../clients/ts/src/index.ts'
import { joined, type Line, ManualClock, message, Peer, receipt } from '../../support/peer.ts'

export type FrameInit = MessageInitShape<typeof FrameSchema>

export const ROOM = 'room:acme/boiler'

export class Midst {
  readonly clock = new ManualClock()
  readonly peer: Peer
  line!: Line
  client!: Client
  /** Entered, with the number 1. */
  room!: Room
  closed!: Promise<ClientEvents['closed']>

  static async open(): Promise<Midst> {
    const midst = new Midst(await Peer.start())
    await midst.connect()
    return midst
  }

  private constructor(peer: Peer) {
    this.peer = peer
  }

  /** Another client in the place of the one before. */
  async connect(options: ConnectOptions = {}, heartbeatMs = 0): Promise<void> {
    await this.client?.close()
    const { clock, peer } = this
    const connecting = connect(peer.url, { token: 'secret', reconnect: false, clock, ...options })
    const line = await peer.line()
    await line.welcome({ heartbeatMs })
    const client = await connecting
    this.closed = new Promise((resolve) => client.on('closed', resolve))
    const joining = client.join(ROOM)
    const { id } = await line.frame('room')
    line.send(joined(id, ROOM))
    this.room = await joining
    this.line = line
    this.client = client
  }

  /** Whatever was said before, a message still goes and comes. */
  async goesOn(sequence = 100n): Promise<void> {
    const { line, room } = this
    const messages = room.messages()
    const sending = room.send('still here')
    const sent = async (): Promise<{ id: number }> =>
      (await line.packet()).find(({ body }) => body.case === 'envelope') ?? sent()
    line.send(receipt((await sent()).id), message('and here', { sequence }))
    expect(await sending).toMatchObject({ status: 'ROUTED' })
    for await (const { text } of messages) if (text === 'and here') break
  }

  /** The client leaves, and whoever waits is told why. */
  async endsWith(code: string): Promise<void> {
    const sending = this.room.send('x')
    sending.catch(() => {})
    expect((await this.closed).error).toMatchObject({ name: 'PorthouseError', code })
    await expect(sending).rejects.toMatchObject({ code })
    await this.line.closed
  }

  /** Nothing is left that keeps a process alive. */
  async close(): Promise<void> {
    await this.client.close()
    await this.peer.stop()
    expect(this.clock.pending).toBe(0)
  }
}

/** A Room frame. */
export const action = (value: object): FrameInit =>
  ({ body: { case: 'room', value: { action: value } } }) as FrameInit

export const times = (count: number, frame: (index: number) => FrameInit): FrameInit[] =>
  Array.from({ length: count }, (_, index) => frame(index))
