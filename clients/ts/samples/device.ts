/**
 * A device: tells its readings on a channel of the room, until somebody there says `stop`.
 * node device.ts ws://127.0.0.1:8080 demo/hello TOKEN 1000
 */
import { setTimeout } from 'node:timers/promises'
import { connect } from '@porthouse/client'

const [url = 'ws://127.0.0.1:8080', address = 'demo/hello', token, intervalMs = '1000'] =
  process.argv.slice(2)
const client = await connect(url, { token })
const room = await client.join(address)
const stop = heard('stop')
console.log(`in ${room.address}`)
for (let reading = 1; ; reading++) {
  const facts = { channel: 'readings', contentType: 'application/json' }
  // While the connection is lost it waits here, and goes on when it is back.
  const { status } = await room.send(JSON.stringify({ reading }), facts)
  console.log(`${status} ${reading}`)
  const pause = setTimeout(Number(intervalMs), undefined, { ref: false })
  if ((await Promise.race([stop, pause])) === 'stop') break
}
console.log('stopped')
await client.close()

async function heard(word: string) {
  for await (const { text } of room.messages()) if (text === word) return word
  return undefined
}
