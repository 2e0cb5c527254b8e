/** Names of what is live, as resources: from addresses, which have slugs. */

/** `acme/boiler`, or `room:acme/boiler`. */
export function roomName(place: string): string {
  const [account, room] = afterKind(place).split('/')
  return `accounts/${account}/rooms/${room}`
}

/** `client:acme/pump`; `` for an address of another kind. */
export function clientName(address: string): string {
  if (!address.startsWith('client:')) return ''
  const [account, client] = afterKind(address).split('/')
  return `accounts/${account}/clients/${client}`
}

export function socketName({ id }: { readonly id: string }): string {
  return `sockets/${id}`
}

function afterKind(address: string): string {
  return address.slice(address.indexOf(':') + 1)
}
