/**
 * A gate for devices: each is asked for a lock before it may send, and then moved to the room that
 * is meant for its kind, which is the first word that it says.
 */
import { defineRoom, type Json, Refused } from 'porthouse/room'

interface Options {
  readonly acceptor: string
  readonly options?: Json
  /** Room of each kind. */
  readonly rooms: Readonly<Record<string, string>>
}

export default defineRoom({
  state: (_options: Options) => undefined,

  initial(socket, { options: { acceptor, options = {} } }) {
    // Not awaited: a device may take its time, and a call may not.
    socket.lock(acceptor, { options }).then(
      () => {
        socket.data.open = true
        socket.send('Which kind are you?')
      },
      () => socket.drop('the lock was not opened'),
    )
  },

  message({ text = '' }, socket, { options: { rooms } }) {
    if (!socket.data.open) throw new Refused('the lock comes first')
    const room = Object.hasOwn(rooms, text) ? rooms[text] : undefined
    if (room === undefined) throw new Refused('no such kind of device')
    socket.move(room).catch(() => socket.drop('there is no place for it'))
    return false
  },
})
