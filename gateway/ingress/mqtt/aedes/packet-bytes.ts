/** Packets of Aedes' own as bytes, and back: of messages it retains, wills, and QoS 2 received. */

/** What of a packet is looked at here; the rest is kept as it is. */
export interface AnyPacket {
  cmd?: string
  topic: string
  payload: Buffer | string
  brokerId?: string | null
  clientId?: string
  messageId?: number | undefined
  length?: number
}

export function bytesOfPacket({ length: _, payload, ...rest }: AnyPacket): Buffer {
  const kept = typeof payload === 'string' ? { text: payload } : { base64: base64Of(payload) }
  return Buffer.from(JSON.stringify({ ...rest, payload: kept }))
}

export function packetOfBytes(bytes: Uint8Array): AnyPacket {
  const { payload, ...rest } = JSON.parse(Buffer.from(bytes).toString())
  return { ...rest, payload: payload.text ?? Buffer.from(payload.base64, 'base64') }
}

function base64Of(payload: Uint8Array): string {
  return Buffer.from(payload).toString('base64')
}
