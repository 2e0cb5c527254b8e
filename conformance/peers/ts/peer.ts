/**
 * The TypeScript client as a peer of the conformance runner: does what it is told on stdin with the
 * client's public API, and tells on stdout what came of it (peer.proto).
 */
import { create } from '@bufbuild/protobuf'
import {
  ClientHelloSchema,
  ClientRequestSchema,
  ClientResponseSchema,
} from '@porthouse/proto/conformance/v1/peer'
import { Transport } from '@porthouse/proto/conformance/v1/transport'
import { messages, write } from '../../runner/delimited.ts'
import { Play } from './play.ts'

const hello = create(ClientHelloSchema, {
  name: 'porthouse-ts 0.1.0',
  transports: [Transport.WEBSOCKET],
  features: [
    'history',
    'cursor',
    'presence',
    'resume',
    'reconnect',
    'idempotency',
    'nested-locks',
    'prompts',
    'password',
    'preset',
    'direct',
    'commands',
    'heartbeat',
    'bounds',
    'key',
    'signing',
  ],
})

await write(process.stdout, ClientHelloSchema, hello)
for await (const request of messages(process.stdin, ClientRequestSchema)) {
  const outcomes = await new Play(request).run()
  await write(process.stdout, ClientResponseSchema, create(ClientResponseSchema, { outcomes }))
}
