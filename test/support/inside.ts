/** Live sockets for tests of what others see of them: each proves a token and joins rooms. */
import { answer, hello, join } from './client-frames.ts'
import type { TestGateway } from './gateway.ts'
import { RawWebSocket } from './raw-websocket.ts'

export interface Inside {
  readonly socket: RawWebSocket
  /** `sockets/{socket}`. */
  readonly name: string
}

/** Resolves when it is in all of them. */
export async function inside(
  { port }: Pick<TestGateway, 'port'>,
  secret: string | undefined,
  ...rooms: string[]
): Promise<Inside> {
  const socket = await RawWebSocket.open(port)
  const proof = secret === undefined ? [] : [answer(2, secret)]
  socket.packet(hello(1), ...proof, ...rooms.map((room, i) => join(3 + i, `room:${room}`)))
  let name = ''
  for (let left = rooms.length + 1; left > 0; ) {
    const { body } = await socket.frame()
    if (body.case === 'welcome') name = body.value.socket.replace(':', 's/')
    if (body.case === 'welcome' || body.case === 'room') left--
    if (body.case === 'drop') throw new Error(`dropped: ${body.value.detail}`)
  }
  return { socket, name }
}
