/**
 * A bare `ws` server in its best form, to compare with: no deflate, a message framed once for all
 * members, every socket corked from its first write of a turn to the end of the turn.
 * The path names the room; `?listen` joins it, `?acknowledge` has each message's head sent back.
 */
import type { Socket } from 'node:net'
import { WebSocketServer } from 'ws'

/** Bytes of a payload that name it: its sender and its number. */
const headBytes = 16

const rooms = new Map<string, Set<Socket>>()
let corked: Socket[] = []
const isCorked = new WeakSet<Socket>()

function write(socket: Socket, frame: Buffer): void {
  if (!isCorked.has(socket)) {
    isCorked.add(socket)
    socket.cork()
    if (corked.push(socket) === 1) setImmediate(uncork)
  }
  socket.write(frame)
}

function uncork(): void {
  const sockets = corked
  corked = []
  for (const socket of sockets) {
    isCorked.delete(socket)
    socket.uncork()
  }
}

/** An unmasked binary frame (RFC 6455, section 5.2) of up to 65,535 bytes. */
function frameOf(payload: Buffer): Buffer {
  const head = payload.length < 126 ? 2 : 4
  const frame = Buffer.allocUnsafe(head + payload.length)
  frame[0] = 0x82
  if (head === 2) frame[1] = payload.length
  else {
    frame[1] = 126
    frame.writeUInt16BE(payload.length, 2)
  }
  payload.copy(frame, head)
  return frame
}

function roomOf(name: string): Set<Socket> {
  const room = rooms.get(name) ?? new Set()
  rooms.set(name, room)
  return room
}

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false })

server.on('connection', (webSocket, { socket, url = '/' }) => {
  const [path = '/', mode] = url.split('?')
  const room = roomOf(path)
  if (mode === 'listen') room.add(socket)
  webSocket.on('message', (payload: Buffer) => {
    const frame = frameOf(payload)
    for (const member of room) if (member !== socket) write(member, frame)
    if (mode === 'acknowledge') write(socket, frameOf(payload.subarray(0, headBytes)))
  })
  webSocket.on('close', () => room.delete(socket))
})

server.on('listening', () => console.log(JSON.stringify(server.address())))
