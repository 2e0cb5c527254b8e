/** Who is in a room and its channels, and how much is sent there, in numbers (R23). */
import type { Place } from './place.ts'

export interface Figures {
  /** In the room; of a channel, that listen to it by its own name. */
  readonly sockets: number
  /** Different clients and tokens among them. */
  readonly clients: number
  /** Since the room was loaded; content in bytes. */
  readonly messages: number
  readonly bytes: number
  /** Over the last ten or so. */
  readonly messagesPerSecond: number
  readonly bytesPerSecond: number
}

/** `channel`: `` for the room with all its channels. */
export function figuresOf(place: Place, channel: string, nowMs: number): Figures {
  const isRoom = channel === ''
  const there = isRoom ? place.occupancy.room : place.occupancy.of(channel)
  const sent = isRoom ? place.traffic.room : place.traffic.of(channel)
  const rates = sent?.rates(nowMs)
  return {
    sockets: there?.sockets ?? 0,
    clients: there?.clients ?? 0,
    messages: sent?.messages ?? 0,
    bytes: sent?.bytes ?? 0,
    messagesPerSecond: rates?.messages ?? 0,
    bytesPerSecond: rates?.bytes ?? 0,
  }
}

/** Channels that somebody listens to, and those that were sent to lately. */
export function channelsOf({ occupancy, traffic }: Place): Set<string> {
  return new Set([...occupancy.channels, ...traffic.channels()])
}
