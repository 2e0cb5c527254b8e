/** What a person may type besides answers and messages. */
import { withKind } from '../../../protocol/address.ts'

export type Command =
  | { readonly name: 'help' | 'sockets' | 'quit' }
  | { readonly name: 'use' | 'join' | 'leave' | 'admit' | 'refuse'; readonly argument: string }

export const HELP = [
  '/join ADDRESS   enter a room, such as /join room:acme/boiler, and write to it',
  '/leave ADDRESS  leave a room, or give up its lock; without an address the one you write to',
  '/sockets        the connections of whoever you are',
  '/admit LOCK    let in who knocks, or /refuse LOCK: the lock as the knock told it',
  '/use ACCEPTOR   answer a lock in another way that it takes',
  '/quit           leave',
  '//…             a message that starts with one slash',
]

/** Reads a line as a command; undefined: it is none. */
export function commandOf(line: string): Command | undefined {
  const [, word = '', argument = ''] = /^\/([a-z]+)(?:\s+(\S+))?\s*$/.exec(line) ?? []
  switch (word) {
    case 'help':
    case 'sockets':
    case 'quit':
      return argument === '' ? { name: word } : undefined
    case 'use':
    case 'admit':
    case 'refuse':
      return argument === '' ? undefined : { name: word, argument }
    case 'join':
      return argument === '' ? undefined : { name: word, argument: withKind(argument) }
    case 'leave':
      return { name: word, argument: argument && withKind(argument) }
    default:
      return undefined
  }
}
