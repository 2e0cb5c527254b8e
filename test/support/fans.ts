/**
 * A process of its own with very many members of one room, so that what they cost is not the
 * gateway's: `node fans.ts URL COUNT MESSAGES`. Says `joined`, and then `heard`, or what is wrong.
 */
import { WebSocket } from 'ws'
import { envelopes, framesOf, textOf } from './heard.ts'

/** Connections that are opened at the same time. */
const AT_ONCE = 200

const [url = '', count = '0', messages = '0'] = process.argv.slice(2)
let left = Number(count)

function say(word: string): void {
  process.send?.(word)
}

/** Resolves when it is in the room; counts from 0 what it hears there. */
function fan(): Promise<void> {
  const socket = new WebSocket(url, 'porthouse.v1')
  const { promise, resolve } = Promise.withResolvers<void>()
  let heard = 0
  socket.on('message', (data: Buffer) => {
    const frames = framesOf(data, false)
    if (frames.some(({ body }) => body.case === 'room')) resolve()
    for (const envelope of envelopes(frames)) {
      if (textOf(envelope) !== `${heard}`) say(`${textOf(envelope)} in place of ${heard}`)
      heard++
      if (heard === Number(messages) && --left === 0) say('heard')
    }
  })
  return promise
}

for (let i = 0; i < Number(count); i += AT_ONCE) {
  await Promise.all(Array.from({ length: AT_ONCE }, fan))
}
say('joined')
process.once('disconnect', () => process.exit(0))
