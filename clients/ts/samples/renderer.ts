/**
 * Says A to Z, which each newcomer gets as long as this program runs: until its input ends.
 * node renderer.ts ws://127.0.0.1:8080 demo/canvas TOKEN
 */
import { connect } from '@porthouse/client'

const [url = 'ws://127.0.0.1:8080', address = 'demo/canvas', token] = process.argv.slice(2)
const client = await connect(url, { token })
const canvas = await client.join(address, { replayed: true })
const letters = Array.from({ length: 26 }, (_, index) => String.fromCharCode(65 + index))
await Promise.all(letters.map((letter) => canvas.send(letter)))
console.log('A to Z')
for await (const _ of process.stdin);
await client.close()
