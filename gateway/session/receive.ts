/**
 * Bytes in: a packet's frames are handled in order, and wait while a lock or an entry is under way.
 */
import { Code } from '@porthouse/proto/v1/code'
import { type ScannedFrame, scanPacket } from '../protocol/scan-packet.ts'
import { handle } from './handlers/index.ts'
import type { Session } from './session.ts'

/**
 * Takes the packet in bytes[start, end). Never throws: what is wrong with it ends the connection,
 * with its code.
 */
export function receive(session: Session, bytes: Buffer, start = 0, end = bytes.length): void {
  if (session.closed) return
  session.heardAt = session.core.uptime()
  session.tally.bytesIn += end - start
  if (session.resumedFrom !== undefined) session.core.resumes.confirm(session)
  if (!session.unlocked && overBudget(session, end - start, 1)) return
  if (start === end) session.outbox.heartbeat()
  else if (session.busy) hold(session, bytes.subarray(start, end))
  else run(session, bytes, start, end)
}

/** Goes on with what was held, now that nothing is under way. */
export function resume(session: Session): void {
  while (!session.busy && !session.closed && session.held.length > 0) {
    const packet = session.held.shift() as Buffer
    session.heldBytes -= packet.length
    run(session, packet, 0, packet.length)
  }
  if (session.held.length === 0) session.wire.resume()
}

function run(session: Session, bytes: Buffer, start: number, end: number): void {
  try {
    const { limits } = session.core.options
    const rest = scanPacket(bytes, start, end, limits, visit, session)
    if (rest < end && !session.closed) hold(session, bytes.subarray(rest, end), true)
  } catch (error) {
    session.fail(error)
  }
}

function visit(frame: ScannedFrame, session: Session): boolean {
  if (!session.unlocked && overBudget(session, 0, 1)) return false
  handle(session, frame)
  return !session.busy && !session.closed
}

/** The rest of a packet goes before what came after it. What is on its way already has to fit. */
function hold(session: Session, packet: Buffer, first = false): void {
  session.wire.pause()
  if (session.held.length === 0) session.heldSince = session.core.uptime()
  session.heldBytes += packet.length
  if (session.heldBytes > session.core.options.pendingBytes) {
    return session.drop(Code.QUEUE_FULL, 'too many bytes wait for a lock')
  }
  // A copy, so that a few held bytes do not keep a whole read buffer.
  if (first) session.held.unshift(Buffer.from(packet))
  else session.held.push(Buffer.from(packet))
}

/** Counts what a socket in limbo sends; true where it has sent too much and was dropped. */
function overBudget(session: Session, bytes: number, frames: number): boolean {
  session.limboBytes += bytes
  session.limboFrames += frames
  return !mayRead(session, 0)
}

/**
 * Whether a socket in limbo may send that much more; drops it where it may not. Asked before bytes
 * are parsed that are not yet a packet.
 */
export function mayRead(session: Session, bytes: number): boolean {
  const { limbo } = session.core.options
  const fits = session.limboBytes + bytes <= limbo.bytes && session.limboFrames <= limbo.frames
  if (session.unlocked || fits) return true
  session.drop(Code.LIMBO_LIMIT, 'too much before anything was unlocked')
  return false
}
