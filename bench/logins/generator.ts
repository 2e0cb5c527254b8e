/**
 * Logs in over and over, so many at a time, and prints what it cost the server as a line of JSON.
 * Each login is a connection of its own, dropped after its verdict; `upgrade` has none to wait for.
 *
 *   node bench/logins/generator.ts METHOD PORT PID SECONDS < SECRETS.json
 */
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { type Login, loginBy, type Method } from './methods.ts'
import { LoginSocket } from './socket.ts'

const CONCURRENCY = 16
const WARMUP_MS = 1000
/** Of /proc/PID/stat, on Linux everywhere. */
const TICKS_A_SECOND = 100

const [method = '', port = '', pid = '', seconds = ''] = process.argv.slice(2)
const gateway = `http://127.0.0.1:${port}`
const upgradeOnly = method === 'upgrade'
const login: Login = upgradeOnly
  ? async () => {}
  : loginBy(method as Method, JSON.parse(await text(process.stdin)))

/** User and kernel time of the server so far, in seconds. */
function serverCpu(): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND
}

let logins = 0
let running = true

async function client(): Promise<void> {
  while (running) {
    const socket = await LoginSocket.open(Number(port), upgradeOnly ? undefined : 'porthouse.v1')
    await login(socket, gateway)
    socket.drop()
    logins++
  }
}

const clients = Promise.all(Array.from({ length: CONCURRENCY }, client))
clients.catch(() => {})
await new Promise((resolve) => setTimeout(resolve, WARMUP_MS))
const before = { logins, cpu: serverCpu(), at: performance.now() }
await new Promise((resolve) => setTimeout(resolve, Number(seconds) * 1000))
const after = { logins, cpu: serverCpu(), at: performance.now() }
running = false
await clients
const done = after.logins - before.logins
const cpu = ((after.cpu - before.cpu) / done) * 1e6
const rate = (done / (after.at - before.at)) * 1000
console.log(JSON.stringify({ cpu, rate }))
