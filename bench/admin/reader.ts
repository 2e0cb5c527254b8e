/**
 * Watches all sockets, in a process of its own that gives way to others: what reads must not slow
 * down what measures. Says when all that are there are told, and at the end how much it was told.
 *
 *   fork('bench/admin/reader.ts', [PORT, KEY])
 */
import { connect } from 'node:net'
import { constants, setPriority } from 'node:os'

const WATCH = 'porthouse.admin.v1.SocketService/WatchSockets'
const [port, key] = process.argv.slice(2)

setPriority(constants.priority.PRIORITY_LOW)
const json = Buffer.from('{"parent":"-"}')
const envelope = Buffer.concat([Buffer.of(0, 0, 0, 0, json.length), json])
const socket = connect(Number(port), '127.0.0.1')
const head = [
  `POST /${WATCH} HTTP/1.1`,
  'Host: 127.0.0.1',
  'Content-Type: application/connect+json',
  `Authorization: Bearer ${key}`,
  `Content-Length: ${envelope.length}`,
  '\r\n',
]
socket.write(head.join('\r\n'))
socket.write(envelope)
let bytes = 0
let isTold = false
socket.on('data', (chunk: Buffer) => {
  bytes += chunk.length
  if (isTold || !chunk.includes('"complete":true')) return
  isTold = true
  process.send!('complete')
})
process.on('message', () => {
  process.send!(bytes)
  process.disconnect()
  socket.destroy()
})
