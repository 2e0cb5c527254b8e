/** Aedes as it comes, to compare with: MQTT over TCP, everything in memory. */
import { createServer } from 'node:net'
import { Aedes } from 'aedes'

const broker = await Aedes.createBroker({ concurrency: 1000 })
const server = createServer({ noDelay: true }, broker.handle)

server.listen(0, '127.0.0.1', () => console.log(JSON.stringify(server.address())))
