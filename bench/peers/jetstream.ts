/** nats-server with a stream on disk, and what is asked of its JetStream API. */
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SERVER_CPU, type Server, startServer } from '../process.ts'
import { installNats } from '../tools.ts'

const STREAM = 'W6'
const ANSWER_MS_MAX = 10_000

/**
 * `sync`: "always" has each write on disk before it is acknowledged; "default" leaves that to the
 * system, and syncs every two minutes. It begins with an empty stream, in `folder/jetstream`.
 */
export async function startJetStream(folder: string, sync: 'always' | 'default'): Promise<Server> {
  await rm(join(folder, 'jetstream'), { recursive: true, force: true })
  const config = join(folder, 'jetstream.conf')
  const always = sync === 'always' ? ', sync_interval: always' : ''
  const lines = [
    'host: "127.0.0.1"',
    'port: -1',
    'websocket { host: "127.0.0.1", port: -1, no_tls: true, compression: false }',
    `jetstream { store_dir: "${join(folder, 'jetstream')}"${always} }`,
  ]
  await writeFile(config, `${lines.join('\n')}\n`)
  // As in ../peers.ts: one core is what it gets.
  const command = { file: await installNats(), args: ['-c', config], env: { GOMAXPROCS: '1' } }
  const ready = /websocket clients on ws:\/\/127\.0\.0\.1:(\d+).*Server is ready/s
  const server = await startServer({ ...command, cpu: SERVER_CPU }, ready)
  const stream = { name: STREAM, subjects: ['w6-0'], storage: 'file', retention: 'limits' }
  try {
    await ask(server.port, `STREAM.CREATE.${STREAM}`, { ...stream, num_replicas: 1 })
    return { ...server, stored: () => storedIn(server) }
  } catch (error) {
    await server.stop()
    throw error
  }
}

/** Messages in the stream. */
async function storedIn({ port }: Server): Promise<number> {
  const { state } = await ask(port, `STREAM.INFO.${STREAM}`, {})
  return state.messages
}

/** One request of the JetStream API, on a connection of its own. */
function ask(port: number, api: string, body: object): Promise<{ state: { messages: number } }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ state: { messages: number } }>()
  const socket = new WebSocket(`ws://127.0.0.1:${port}`)
  const late = setTimeout(() => reject(new Error(`no answer to ${api}`)), ANSWER_MS_MAX)
  const json = JSON.stringify(body)
  let heard = ''
  socket.binaryType = 'arraybuffer'
  socket.onopen = () =>
    socket.send(
      Buffer.from(
        'CONNECT {"verbose":false,"pedantic":false,"lang":"js","version":"0","protocol":1}\r\n' +
          `SUB answer 1\r\nPUB $JS.API.${api} answer ${json.length}\r\n${json}\r\n`,
      ),
    )
  socket.onerror = () => reject(new Error(`no connection for ${api}`))
  socket.onmessage = ({ data }) => {
    heard += Buffer.from(data as ArrayBuffer).toString()
    const answer = /MSG answer 1 \d+\r\n(.*)\r\n/.exec(heard)?.[1]
    if (answer === undefined) return
    const { error, ...rest } = JSON.parse(answer)
    if (error) reject(new Error(`${api}: ${error.description}`))
    else resolve(rest)
  }
  return promise.finally(() => {
    clearTimeout(late)
    socket.close()
  })
}
