/** A session without a connection: what the gateway does in somebody's name, or only tries. */
import type { FrameWriter, Lane } from '../router/lane.ts'
import type { Core } from './core.ts'
import { Session } from './session.ts'
import type { Wire } from './wire.ts'

/** Hears nothing, and is not counted among the sockets; whoever makes one ends it. */
export function socketlessSession(core: Core): Session {
  const nothing = () => {}
  const handshake = { remote: '127.0.0.1', headers: {} }
  const hooks = { resume: nothing, unlocked: nothing, ending: nothing, ended: nothing }
  return new Session(core, { wire: WIRE, lane: LANE, handshake }, hooks)
}

const WIRE: Wire = {
  write() {},
  buffered: 0,
  pause() {},
  resume() {},
  ping() {},
  close() {},
  terminate() {},
  closed: Promise.resolve(),
}

const NOTHING = Buffer.alloc(0)

const WRITER: FrameWriter = {
  bytes: 0,
  frames: 0,
  envelope() {},
  receipt() {},
  frame() {},
  whole: () => NOTHING,
  part: () => NOTHING,
}

const LANE: Lane = { name: 'none', medium: 'none', writer: () => WRITER }
