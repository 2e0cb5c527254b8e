/**
 * The TypeScript client as a peer of the conformance runner: does what it is told on stdin with the
 * client's public API, and tells on stdout what came of it (peer.proto).
 */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import {
  ClientHelloSchema,
  ClientRequestSchema,
  ClientResponseSchema,
} from '@porthouse/proto/conformance/v1/peer'
import { Transport } from '@porthouse/proto/conformance/v1/transport'
import { framed, readMessages } from './framing.ts'
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

process.stdout.write(framed(toBinary(ClientHelloSchema, hello)))
for await (const bytes of readMessages(process.stdin)) {
  const request = fromBinary(ClientRequestSchema, bytes)
  const response = create(ClientResponseSchema, { outcomes: await new Play(request).run() })
  process.stdout.write(framed(toBinary(ClientResponseSchema, response)))
}
