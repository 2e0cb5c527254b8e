/**
 * A socket.io server to compare with: WebSocket only, no deflate, text payloads. `join` (room,
 * whether to listen) names a socket's room; `m` goes to the others in it, and is acknowledged where
 * asked for.
 */
import { createServer } from 'node:http'
import { Server } from 'socket.io'

const http = createServer()
const server = new Server(http, {
  transports: ['websocket'],
  perMessageDeflate: false,
  serveClient: false,
})

server.on('connection', (socket) => {
  let room = ''
  socket.on('join', (name: string, listens: boolean, acknowledge: () => void) => {
    room = name
    if (listens) socket.join(name)
    acknowledge()
  })
  socket.on('m', (payload: string, acknowledge?: () => void) => {
    socket.to(room).emit('m', payload)
    acknowledge?.()
  })
})

http.listen(0, '127.0.0.1', () => console.log(JSON.stringify(http.address())))
