/** The client's side of a login by connection key, written from the docs alone. */
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'

export interface Exchange {
  readonly gateway: string
  readonly socket: string
  readonly key: string
  readonly place: string
  readonly clientNonce: Uint8Array
  readonly serverNonce: Uint8Array
  readonly salt: Uint8Array
  readonly iterations: number
}

/** The 32 random bytes of a key as it was shown. */
export function randomOf(secret: string): Buffer {
  return Buffer.from(secret.slice(-43), 'base64url')
}

export function prove(random: Uint8Array, exchange: Exchange) {
  const { salt, iterations } = exchange
  const salted = pbkdf2Sync(random, salt, iterations, 32, 'sha256')
  const clientKey = hmac(salted, 'Client Key')
  const message = signed(exchange)
  const signature = hmac(createHash('sha256').update(clientKey).digest(), message)
  return {
    proof: Buffer.from(clientKey.map((byte, i) => byte ^ signature[i]!)),
    serverSignature: hmac(hmac(salted, 'Server Key'), message),
  }
}

export function signed(exchange: Exchange): Buffer {
  const { gateway, socket, key, place, clientNonce, serverNonce, salt, iterations } = exchange
  const nonce = Buffer.concat([clientNonce, serverNonce])
  const strings = ['porthouse login v1', gateway, socket, nonce, key, place, salt, `${iterations}`]
  return Buffer.concat(
    strings.flatMap((each) => {
      const bytes = Buffer.from(each)
      const length = Buffer.alloc(4)
      length.writeUInt32BE(bytes.length)
      return [length, bytes]
    }),
  )
}

export function hmac(key: Uint8Array, message: string | Uint8Array): Buffer {
  return createHmac('sha256', key).update(message).digest()
}
