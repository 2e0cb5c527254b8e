/** What is kept, in memory and on its way to the store. */
import type { Room } from '../../rooms/rooms.ts'
import { type Family, type Measured, single } from './family.ts'

function overRooms(read: (room: Room) => number) {
  return ({ core }: Measured): number => {
    let sum = 0
    for (const room of core.rooms.loaded) sum += read(room)
    return sum
  }
}

export const history: readonly Family[] = [
  single(
    'gauge',
    'porthouse_history_queue_messages',
    'Messages of durable rooms that wait for the store.',
    ({ core }) => core.writer.messages,
  ),
  single(
    'gauge',
    'porthouse_history_queue_bytes',
    'Bytes of them; history.queueBytes is the most.',
    ({ core }) => core.writer.bytes,
  ),
  single(
    'gauge',
    'porthouse_history_queue_max_bytes',
    'Setting history.queueBytes.',
    ({ config }) => config.history.queueBytes,
  ),
  {
    type: 'histogram',
    name: 'porthouse_history_commit_seconds',
    help: 'How long transactions took that have stored messages.',
    read: ({ core }) => [{ value: core.writer.commits }],
  },
  {
    type: 'histogram',
    name: 'porthouse_history_batch_messages',
    help: 'Messages in one such transaction.',
    read: ({ core }) => [{ value: core.writer.batches }],
  },
  single(
    'gauge',
    'porthouse_window_bytes',
    'Messages that rooms have in memory: windows, and the tails of durable histories.',
    overRooms(({ history }) => history.window.bytes),
  ),
  single(
    'gauge',
    'porthouse_session_history_bytes',
    'Session histories of rooms, which are in memory alone.',
    overRooms(({ sessionHistory }) => sessionHistory?.bytes ?? 0),
  ),
  single(
    'gauge',
    'porthouse_retained_values',
    'Last values of channels of loaded rooms.',
    overRooms(({ retained }) => retained?.size ?? 0),
  ),
  single(
    'gauge',
    'porthouse_retained_queue_bytes',
    'Last values that wait for the store.',
    ({ core }) => core.retained.bytes,
  ),
  single(
    'gauge',
    'porthouse_own_channels',
    "Clients' own channels in memory.",
    ({ core }) => core.own.size,
  ),
  single(
    'gauge',
    'porthouse_own_channel_bytes',
    'Bytes of their messages; resume.allBytes is the most.',
    ({ core }) => core.own.bytes,
  ),
  single(
    'gauge',
    'porthouse_resume_tokens',
    'Connections that have ended and may be resumed.',
    ({ core }) => core.resumes.size,
  ),
]
