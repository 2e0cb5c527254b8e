/**
 * Step 4: who gets it? A room's listeners are kept as audiences and need no gathering here. A
 * direct message reaches a socket with which the sender shares a room or an account, so that ids
 * cannot be probed: anybody else is as void as one that is gone.
 */
import type { DirectDestination, GroupDestination } from './destination.ts'
import type { Graph } from './graph.ts'
import type { Socket } from './socket.ts'

/** `isRehearsal`: it stays whose turn it is in a group. */
export function gather(
  graph: Graph,
  origin: Socket,
  destination: DirectDestination | GroupDestination,
  isRehearsal: boolean,
): Socket[] {
  if (destination.kind === 'group') return destination.group.receivers(origin, !isRehearsal)
  if (destination.kind === 'echo') return [origin]
  if (destination.kind === 'lock') return atLock(graph, origin, destination.key)
  const found =
    destination.kind === 'socket'
      ? [graph.socket(destination.key)]
      : graph.socketsOf(destination.key)
  const reached: Socket[] = []
  for (const socket of found) {
    if (socket && socket !== origin && mayReach(origin, socket)) reached.push(socket)
  }
  return reached
}

/** A lock joins who waits there with those who may let him in, and nobody else (R16). */
function atLock(graph: Graph, origin: Socket, lock: string): Socket[] {
  const waiting = graph.waitingAt(lock)
  if (!waiting) return []
  const approvers = waiting.approvers()
  if (waiting.socket === origin) return approvers.filter((socket) => socket !== origin)
  return approvers.includes(origin) ? [waiting.socket] : []
}

function mayReach(origin: Socket, socket: Socket): boolean {
  for (const account of origin.accounts) if (socket.accounts.has(account)) return true
  const [fewer, more] =
    origin.memberships.size < socket.memberships.size ? [origin, socket] : [socket, origin]
  for (const route of fewer.memberships.keys()) {
    const mine = more.memberships.has(route) && origin.memberships.get(route)
    if (mine && mine.senders.length > 0) return true
  }
  return false
}
