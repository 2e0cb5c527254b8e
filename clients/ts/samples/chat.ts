/**
 * Talks in a room: says each line of its input, shows what it hears, until its input ends.
 * node chat.ts ws://127.0.0.1:8080 demo/hello TOKEN
 */
import { createInterface } from 'node:readline'
import { connect } from '@porthouse/client'

const [url = 'ws://127.0.0.1:8080', address = 'demo/hello', token] = process.argv.slice(2)
const client = await connect(url, { token })
const room = await client.join(address)
const hearing = hear()
console.log(`in ${room.address}`)
for await (const line of createInterface({ input: process.stdin })) await room.send(line)
await client.close()
await hearing

async function hear() {
  for await (const { from, text } of room.messages()) console.log(`${from}: ${text}`)
}
