/** The address of the client that a socket claims to be. */
import { type Address, parseAddress } from '../protocol/address.ts'
import { Refusal } from '../protocol/codes.ts'

type ClientAddress = Extract<Address, { kind: 'client' }>

/** Reads `client:{account}/{client}`; undefined: it is no such address. */
export function readClientAddress(text: string): ClientAddress | undefined {
  try {
    const address = parseAddress(text)
    return address.kind === 'client' ? address : undefined
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}
