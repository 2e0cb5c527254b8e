/**
 * A board: shows all that was ever said, and adds a line that is there for good.
 * node history.ts ws://127.0.0.1:8080 demo/board TOKEN 'a line'
 */
import { connect } from '@porthouse/client'

const [url = 'ws://127.0.0.1:8080', address = 'demo/board', token, line] = process.argv.slice(2)
const client = await connect(url, { token })
const board = await client.join(address)
for await (const { sequence, from, text } of board.history()) {
  console.log(`${sequence} ${from}: ${text}`)
}
if (line !== undefined) {
  // Resolves when it is on disk; until then it is sent again where need be, and kept once.
  const { status, sequence } = await board.send(line, { level: 'stored' })
  console.log(`${status} ${sequence}`)
}
await client.close()
