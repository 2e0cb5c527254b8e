/** A stay of the client in a page; what it says there is what the test reads. */
import { connect, type PorthouseError, prompts } from '@porthouse/client'

const { url = '', token = '' } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)))
const say = (line: string) => document.body.append(`${line}\n`)
const codeOf = (doing: Promise<unknown>) =>
  doing.then(
    () => 'no error',
    (error: PorthouseError) => error.code,
  )

say(`a wrong token: ${await codeOf(connect(url, { token: token.replace(/.{9}$/, 'AAAAAAAAA') }))}`)
const locks = [
  prompts(async ({ prompts: [asked] }) => {
    say(`asked: ${asked?.text}`)
    return ['mellon']
  }),
]
const client = await connect(url, { token, locks, backoff: { baseMs: 1, capMs: 100 } })
client.on('reconnected', ({ rooms }) => {
  for (const { address, recovered } of rooms) say(`back in ${address}: ${recovered}`)
})
const door = await client.join('demo/door')
say(`in ${door.address}`)
say(`an unknown room: ${await codeOf(client.join('demo/nowhere'))}`)
const board = await client.join('demo/board')
const messages = board.messages()
const { status, sequence } = await board.send('from a page', { level: 'stored' })
say(`${status} ${sequence}`)
for await (const { text } of board.history()) say(`kept: ${text}`)
for await (const { text } of messages) {
  say(`heard: ${text}`)
  if (text === 'goodbye') break
}
await client.close()
say(`closed: ${await codeOf(board.send('too late'))}`)
