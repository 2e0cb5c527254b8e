/** A moderated chat: a welcome, words that are not said, a rate, and a mute for who insists. */
import { defineRoom, Refused } from 'porthouse/room'

interface Options {
  readonly words?: readonly string[]
  /** Messages in ten seconds. */
  readonly rate?: number
  readonly muteMs?: number
}

interface Talker {
  strikes: number
  mutedUntil: number
  sent: number[]
}

const STRIKES = 3
const SPAN_MS = 10_000

export default defineRoom({
  // By name, so that who comes again is still muted.
  state: (_options: Options) => new Map<string, Talker>(),

  initial(socket) {
    if (!socket.again) socket.send('Welcome. Be kind.')
  },

  message({ text = '', from }, socket, { options, state }) {
    const { words = [], rate = 5, muteMs = 60_000 } = options
    const now = Date.now()
    const talker = state.get(from) ?? { strikes: 0, mutedUntil: 0, sent: [] }
    state.set(from, talker)
    if (now < talker.mutedUntil) throw new Refused('you are muted')
    talker.sent = talker.sent.filter((at) => now - at < SPAN_MS)
    if (talker.sent.push(now) > rate) throw new Refused(`over ${rate} messages in ten seconds`)
    const said = text.toLowerCase()
    if (!words.some((word) => said.includes(word))) return true
    if (++talker.strikes < STRIKES) throw new Refused('not with that word')
    talker.strikes = 0
    talker.mutedUntil = now + muteMs
    socket.send('You are muted for a while.')
    throw new Refused('you are muted')
  },
})
