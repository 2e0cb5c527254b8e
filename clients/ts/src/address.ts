const KIND = /^(?:room|client|socket|group|token|lock|lobby):/

/** A room's `room:` may be left out where an address is typed. */
export function fullAddress(address: string): string {
  return KIND.test(address) ? address : `room:${address}`
}

/** A client's `client:` may be left out as well, where nothing else is meant. */
export function clientAddress(client: string): string {
  return client.startsWith('client:') ? client : `client:${client}`
}

/**
 * The room's part of a room's address, and the channel or filter behind it, empty where there is
 * none.
 */
export function splitRoom(address: string): { room: string; channel: string } {
  const end = address.indexOf('/', address.indexOf('/') + 1)
  return end < 0
    ? { room: address, channel: '' }
    : { room: address.slice(0, end), channel: address.slice(end + 1) }
}

/** Whether a channel's name stands for more than one channel. */
export function isFilter(channel: string): boolean {
  return channel.split('/').some((level) => level === '*' || level === '**')
}

/**
 * Whether a listener on the filter hears the channel: the empty filter is the room and hears all,
 * `*` stands for one level, `**` at the end for all levels below, at least one.
 */
export function hears(filter: string, channel: string): boolean {
  if (filter === '' || filter === channel) return true
  if (channel === '' || !filter.includes('*')) return false
  const wanted = filter.split('/')
  const levels = channel.split('/')
  const deep = wanted.at(-1) === '**'
  if (deep) wanted.pop()
  if (deep ? levels.length <= wanted.length : levels.length !== wanted.length) return false
  return wanted.every((level, index) => level === '*' || level === levels[index])
}
