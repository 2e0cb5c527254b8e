/** The steps of a script that wait for nothing: what the reference gateway does to a connection. */
import type { Value } from '@bufbuild/protobuf/wkt'
import type { GatewayStep } from '@porthouse/proto/conformance/v1/client_suite'
import type { Frame } from '@porthouse/proto/v1/frame'
import type { Connection } from './connection.ts'

/** Makes frames of templates; of a flood the n-th time, else the first. */
type Fill = (templates: readonly Value[], n: number) => Frame[]

export function act(step: GatewayStep['does'], connection: Connection, fill: Fill): void {
  switch (step.case) {
    case 'send':
      return connection.send(fill(step.value.frames, 1))
    case 'flood':
      for (let n = 1; n <= step.value.times && connection.isOpen; n++) {
        connection.send(fill(step.value.frames, n))
      }
      return
    case 'sendHex':
      return connection.sendBytes(Buffer.from(step.value, 'hex'))
    case 'sendText':
      return connection.sendText(step.value)
    case 'sendPartialHex':
      return connection.sendWire(beginning(Buffer.from(step.value, 'hex')))
    case 'sendWireHex':
      return connection.sendWire(Buffer.from(step.value, 'hex'))
    case 'close':
      return connection.close(step.value)
    case 'cut':
      return connection.cut()
    case 'stall':
      return connection.stall()
    default:
      throw new TypeError(`a step that does nothing: ${step.case}`)
  }
}

/** A WebSocket message of one byte more than there is (RFC 6455, 5.2), under 65,536. */
function beginning(bytes: Uint8Array): Uint8Array {
  const length = bytes.length + 1
  const head = length < 126 ? [0x82, length] : [0x82, 126, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from(head), bytes])
}
