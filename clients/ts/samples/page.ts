/** The same in a page, opened with #url=ws://127.0.0.1:8080&address=demo/hello&token=TOKEN */
import { connect } from '@porthouse/client'

const {
  url = 'ws://127.0.0.1:8080',
  address = 'demo/hello',
  token,
} = Object.fromEntries(new URLSearchParams(location.hash.slice(1)))
const client = await connect(url, { token })
const room = await client.join(address)
const messages = room.messages()
const { status, sockets } = await room.send('hello')
document.body.append(`${status} to ${sockets}`)
const { value: answer } = await messages.next()
document.body.append(`, ${answer.from}: ${answer.text}`)
await client.close()
