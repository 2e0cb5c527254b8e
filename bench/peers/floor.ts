/**
 * What Node itself costs: raw sockets, the least of WebSocket's framing, each message read once and
 * each reader written to once a turn; no sessions, no rights, no stamps, no limits. Spoken with as
 * ws.ts is: the path names the room; `?listen` joins it, `?acknowledge` has each message's head
 * sent back. Who does not read is dropped as soon as the kernel takes no more for him.
 */
import { createHash } from 'node:crypto'
import { createServer, type Socket } from 'node:net'

const SALT = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
/** Bytes of a payload that name it: its sender and its number. */
const HEAD_BYTES = 16
/** More than is under way in any workload, so that only who has stopped reading has as much. */
const QUEUE_BYTES = 65_536

interface Member {
  readonly socket: Socket
  readonly room: Room
  readonly acknowledges: boolean
  /** The beginning of a frame whose rest has not come. */
  rest: Buffer | undefined
  heads: Buffer[] | undefined
}

interface Room {
  readonly members: Set<Member>
  /** Of this turn. */
  sent: { readonly from: Member; readonly frame: Buffer }[]
}

const rooms = new Map<string, Room>()
let busy: Room[] = []
let answered: Member[] = []

function atEndOfTurn(): void {
  if (busy.length + answered.length === 0) setImmediate(flush)
}

function flush(): void {
  const [full, told] = [busy, answered]
  busy = []
  answered = []
  for (const room of full) {
    const { sent } = room
    room.sent = []
    const authors = new Set(sent.map(({ from }) => from))
    const all = joined(sent.map(({ frame }) => frame))
    for (const member of room.members) {
      if (!authors.has(member)) write(member, all)
      else write(member, joined(sent.flatMap((each) => (each.from === member ? [] : each.frame))))
    }
  }
  for (const member of told) {
    write(member, joined(member.heads ?? []))
    member.heads = undefined
  }
}

function joined(frames: readonly Buffer[]): Buffer {
  return frames.length === 1 ? frames[0]! : Buffer.concat(frames)
}

function write({ socket }: Member, bytes: Buffer): void {
  if (bytes.length > 0) socket.write(bytes)
  if (socket.writableLength > QUEUE_BYTES) socket.destroy()
}

/** An unmasked binary frame (RFC 6455, section 5.2) of up to 65,535 bytes. */
function frameOf(payload: Buffer): Buffer {
  const head = payload.length < 126 ? 2 : 4
  const frame = Buffer.allocUnsafe(head + payload.length)
  frame[0] = 0x82
  frame[1] = head === 2 ? payload.length : 126
  if (head === 4) frame.writeUInt16BE(payload.length, 2)
  payload.copy(frame, head)
  return frame
}

/** Takes whole frames off the front, and gives what is left. */
function read(member: Member, bytes: Buffer): Buffer {
  let at = 0
  while (bytes.length - at >= 6) {
    const short = bytes[at + 1]! & 0x7f
    const head = short === 126 ? 8 : 6
    if (bytes.length - at < head) break
    const length = short === 126 ? bytes.readUInt16BE(at + 2) : short
    const [start, end] = [at + head, at + head + length]
    if (bytes.length < end) break
    for (let n = 0; n < length; n++) bytes[start + n]! ^= bytes[start - 4 + (n & 3)]!
    if ((bytes[at]! & 0x0f) === 2) heard(member, bytes.subarray(start, end))
    at = end
  }
  return bytes.subarray(at)
}

function heard(member: Member, payload: Buffer): void {
  const { room } = member
  if (room.sent.length === 0) {
    atEndOfTurn()
    busy.push(room)
  }
  room.sent.push({ from: member, frame: frameOf(payload) })
  if (!member.acknowledges) return
  if (!member.heads) {
    atEndOfTurn()
    answered.push(member)
    member.heads = []
  }
  member.heads.push(frameOf(payload.subarray(0, HEAD_BYTES)))
}

function upgrade(socket: Socket, request: string): Member {
  const [, path = '/', mode] = /^GET ([^ ?]*)\??(\w*)/.exec(request) ?? []
  const key = /^sec-websocket-key: *(\S+)/im.exec(request)?.[1]
  const accept = createHash('sha1').update(`${key}${SALT}`).digest('base64')
  const room = rooms.get(path) ?? { members: new Set(), sent: [] }
  rooms.set(path, room)
  const acknowledges = mode === 'acknowledge'
  const member: Member = { socket, room, acknowledges, rest: undefined, heads: undefined }
  if (mode === 'listen') room.members.add(member)
  const head = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
  socket.write(`${head}Sec-WebSocket-Accept: ${accept}\r\n\r\n`)
  return member
}

const server = createServer({ noDelay: true }, (socket) => {
  let member: Member | undefined
  socket.on('data', (chunk) => {
    // The generator asks in one packet, and says nothing before it is answered.
    if (!member) {
      member = upgrade(socket, chunk.toString('latin1'))
      return
    }
    const rest = read(member, member.rest ? Buffer.concat([member.rest, chunk]) : chunk)
    member.rest = rest.length > 0 ? rest : undefined
  })
  socket.on('close', () => member?.room.members.delete(member))
  socket.on('error', () => {})
})

server.listen(0, '127.0.0.1', () => console.log(JSON.stringify(server.address())))
