/**
 * The teleprinter (R17): a bare WebSocket of text, with a person behind it. Whoever answered wrong
 * lately is turned away before he has a session; everybody else gets an ordinary one.
 */
import type { Socket } from 'node:net'
import { create, toBinary } from '@bufbuild/protobuf'
import { Code } from '@porthouse/proto/v1/code'
import { PacketSchema } from '@porthouse/proto/v1/frame'
import type { WebSocket } from 'ws'
import type { OffenceBook } from '../../../identity/offences.ts'
import type { Lane } from '../../../router/lane.ts'
import { mayRead, receive } from '../../../session/receive.ts'
import type { Body, Session } from '../../../session/session.ts'
import type { Wire } from '../../../session/wire.ts'
import { positionIn } from '../../ping.ts'
import { closeWith, WebSocketWire } from '../connection.ts'
import { Dialogue } from './dialogue.ts'
import { LINE_BYTES_MAX, LineReader } from './line-reader.ts'
import { packetLane } from './packet-lane.ts'
import { Printer, paceOf } from './printer.ts'
import { TerminalWire, textMessage } from './terminal-wire.ts'
import { visible } from './visible.ts'

/** What a message costs in limbo beside its own bytes. */
const MESSAGE_BYTES = 8

/** What one message may hold: a person's paste, in bytes and in lines. */
const MESSAGE_BYTES_MAX = 65_536
const MESSAGE_LINES_MAX = 1_024

/** What may wait for a person who makes us talk and does not read, in bytes. */
const OUTPUT_BYTES_MAX = 1_048_576

export interface TeleprinterOptions {
  readonly offences: OffenceBook
  /** Fastest pace that may be asked for, in characters a second. */
  readonly paceMax: number
}

/** One who has called, and how he becomes a session. */
export interface Caller {
  readonly ws: WebSocket
  readonly socket: Socket
  /** The IP address that it is from. */
  readonly remote: string
  /** Of the URL. */
  readonly query: URLSearchParams
  /** The address of the place that the URL leads to; undefined: the main lobby. */
  readonly place: string | undefined
  /** UUID of the client that the URL names. */
  readonly client: string | undefined
  readonly open: (wire: Wire, lane: Lane) => Session
  readonly enter: (session: Session) => void
  /** A pong, and the position that it has. */
  readonly answered: (session: Session, position: number) => void
  /** Whether no more sessions are to be opened. */
  readonly late: () => boolean
}

/** Serves an accepted WebSocket without a subprotocol until it closes. */
export async function serveTeleprinter(caller: Caller, options: TeleprinterOptions): Promise<void> {
  const { ws, socket, place } = caller
  ws.on('error', () => undefined)
  // Nothing is read before it is known whether anybody listens.
  ws.pause()
  const offences = await options.offences.from(caller.remote)
  ws.resume()
  if (ws.readyState !== ws.OPEN) return
  if (caller.late()) return closeWith(ws, Code.DRAINING, 'the gateway goes down')
  const pace = paceOf(caller.query, options.paceMax)
  let emptied = () => {}
  const printer = new Printer({
    pace,
    write: (text) => ws.readyState === ws.OPEN && socket.write(textMessage(text)),
    emptied: () => emptied(),
  })
  ws.on('close', () => printer.stop())
  printer.print(`porthouse. This is ${place === undefined ? 'the lobby' : visible(place)}.\r\n`)
  if (offences > 0) return turnAway(ws, printer, offences)
  const teleprinter = new Teleprinter(caller, options, printer)
  emptied = () => teleprinter.session.outbox.drained()
}

function turnAway(ws: WebSocket, printer: Printer, offences: number): void {
  const answers = offences === 1 ? '1 wrong answer' : `${offences} wrong answers`
  printer.print(`You again: ${answers} came from where you are.\r\n`)
  printer.print('Goodbye. OFFENDER: come back when that is forgotten.\r\n')
  printer.end(() => closeWith(ws, Code.OFFENDER, `${answers} from there`))
}

/** Holds a session, a dialogue and what lies between them and the connection. */
class Teleprinter {
  readonly session: Session
  readonly #wire: TerminalWire
  readonly #dialogue: Dialogue
  readonly #reader: LineReader

  constructor(caller: Caller, { offences }: TeleprinterOptions, printer: Printer) {
    const { ws, socket, remote, query, place, client } = caller
    this.#reader = new LineReader(byKeys(query))
    const under = new WebSocketWire(ws, socket)
    this.#wire = new TerminalWire(under, printer, (frames) => {
      this.#dialogue.hear(frames)
      this.#wire.full = this.#dialogue.holds
    })
    const parts = {
      line: (text: string) => printer.print(`${text}\r\n`),
      prompt: (text: string) => printer.print(text),
      send: (id: number, body: Body) => this.#send(id, body),
      wrong: (claims: readonly string[]) => this.#wrong(offences.add(remote, claims)),
      proved: (identities: readonly string[]) => this.#proved(offences.inName(identities)),
      quit: () => this.session.drop(Code.UNSPECIFIED, 'the person leaves'),
      flooded: () => this.session.drop(Code.QUEUE_FULL, 'too many lines wait for an answer'),
    }
    this.#dialogue = new Dialogue(parts, place, client ? [`client:${client}`] : [])
    this.session = caller.open(this.#wire, packetLane)
    this.#send(0, { case: 'hello', value: { agent: 'teleprinter', capabilities: ['events'] } })
    ws.on('message', (data, isBinary) => this.#receive(data as Buffer, isBinary))
    ws.on('pong', (bytes) => caller.answered(this.session, positionIn(bytes)))
    ws.on('error', () => this.session.end())
    ws.on('close', () => this.session.end())
    socket.on('drain', () => this.session.outbox.drained())
    caller.enter(this.session)
  }

  #receive(data: Buffer, isBinary: boolean): void {
    const { session } = this
    if (session.closed) return
    if (isBinary) return session.drop(Code.WRONG_DATA_TYPE, 'a teleprinter takes text')
    if (data.length > MESSAGE_BYTES_MAX) {
      return session.drop(Code.PACKET_TOO_LARGE, `over ${MESSAGE_BYTES_MAX} bytes at once`)
    }
    // Keys that make no line yet count as well, and so do messages of nothing.
    if (!session.unlocked) session.limboBytes += data.length + MESSAGE_BYTES
    if (!mayRead(session, 0)) return
    const { byKeys } = this.#reader
    const lines = this.#reader.read(data.toString())
    if (this.#reader.byKeys && !byKeys) this.#dialogue.tell('(Key by key: Enter ends a line.)')
    if (lines.length > MESSAGE_LINES_MAX) {
      return session.drop(Code.TOO_MANY_FRAMES, `over ${MESSAGE_LINES_MAX} lines at once`)
    }
    for (const line of lines) if (!session.closed) this.#type(line)
    this.#wire.full = this.#dialogue.holds
  }

  #type(line: string | undefined): void {
    if (line !== undefined) this.#dialogue.type(line)
    else this.#dialogue.tell(`A line over ${LINE_BYTES_MAX} bytes was not taken.`)
    if (this.#wire.buffered > OUTPUT_BYTES_MAX) {
      this.session.drop(Code.SLOW_CONSUMER, 'more waits than may')
    }
  }

  #send(id: number, body: Body): void {
    const packet = create(PacketSchema, { frames: [{ id, body } as never] })
    receive(this.session, Buffer.from(toBinary(PacketSchema, packet)))
  }

  /** Kept before the connection ends, so that whoever comes back at once is known. */
  #wrong(kept: Promise<void>): void {
    this.#wire.closeAfter = kept
    kept.then(() => this.session.drop(Code.UNAUTHENTICATED, 'one wrong answer is one too many'))
  }

  /** Tells an owner what others tried in his name; it is for him to judge (threat K15). */
  async #proved(inName: Promise<number>): Promise<void> {
    const count = await inName
    if (count === 0 || this.session.closed) return
    this.#dialogue.tell(`Wrong answers given lately in your name: ${count}.`)
  }
}

/** `?keys=1`: keys come one by one; `?keys=0`: lines do; absent: the first message tells. */
function byKeys(query: URLSearchParams): boolean | undefined {
  const asked = query.get('keys')
  return asked === null ? undefined : asked !== '0'
}
