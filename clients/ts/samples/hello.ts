/** Says hello in a room and hears one answer: node hello.ts ws://127.0.0.1:8080 demo/hello TOKEN */
import { connect } from '@porthouse/client'

const [url = 'ws://127.0.0.1:8080', address = 'demo/hello', token] = process.argv.slice(2)
const client = await connect(url, { token })
const room = await client.join(address)
const messages = room.messages()
const { status, sockets } = await room.send('hello')
console.log(`${status} to ${sockets}`)
const { value: answer } = await messages.next()
console.log(`${answer.from}: ${answer.text}`)
await client.close()
