/** A session without a connection: what the gateway does in somebody's name, or only tries. */
import type { Medium } from '../observe/counts.ts'
import type { FrameWriter, Lane } from '../router/lane.ts'
import type { Core } from './core.ts'
import { Outbox } from './outbox/outbox.ts'
import { Session, type SessionHooks, type SessionKind } from './session.ts'
import type { Wire } from './wire.ts'

/** Hears nothing, and is not counted among the sockets; whoever makes one ends it. */
export function socketlessSession(
  core: Core,
  hooks: Partial<SessionHooks> = {},
  medium: Medium = 'none',
): Session {
  const handshake = { remote: '127.0.0.1', headers: {} }
  const parts = { wire: WIRE, lane: { ...LANE, medium }, handshake, kind: KIND }
  return new Session(core, parts, { ...HOOKS, ...hooks })
}

const KIND: SessionKind = { unseen: true, outbox: (host) => new Outbox(host) }

const nothing = () => {}

const HOOKS: SessionHooks = { resume: nothing, unlocked: nothing, ending: nothing, ended: nothing }

const WIRE: Wire = {
  write() {},
  buffered: 0,
  pause() {},
  resume() {},
  paused: false,
  ping: () => false,
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
