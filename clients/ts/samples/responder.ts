/**
 * Answers who asks: /ping, /echo TEXT, and /stop, which ends it.
 * node responder.ts ws://127.0.0.1:8080 demo/hello TOKEN
 */
import { connect, type PorthouseError } from '@porthouse/client'

const [url = 'ws://127.0.0.1:8080', address = 'demo/hello', token] = process.argv.slice(2)
const client = await connect(url, { token })
const room = await client.join(address)
const messages = room.messages()
console.log(`in ${room.address}`)
for await (const { from, text = '', replyTo = from, correlationId } of messages) {
  const answer = answerTo(text)
  if (answer === undefined) continue
  try {
    await client.send(replyTo, answer, { correlationId })
    console.log(`answered ${from}: ${answer}`)
  } catch (error) {
    // Who names an address where nobody may be answered does not end it for others.
    console.error(`not answered ${from}: ${(error as PorthouseError).code}`)
  }
  if (text === '/stop') break
}
await client.close()

function answerTo(text: string): string | undefined {
  if (text === '/ping') return 'pong'
  if (text === '/stop') return 'bye'
  return text.startsWith('/echo ') ? text.slice('/echo '.length) : undefined
}
