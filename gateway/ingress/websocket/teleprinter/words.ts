/** Frames as words for a person: one line each, and nothing in them that a terminal would obey. */
import { isUtf8 } from 'node:buffer'
import { Code } from '@porthouse/proto/v1/code'
import type { Allowance, Sockets } from '@porthouse/proto/v1/command'
import type { Envelope } from '@porthouse/proto/v1/envelope'
import { type Event, EventKind } from '@porthouse/proto/v1/event'
import type { Drop } from '@porthouse/proto/v1/frame'
import type { Receipt } from '@porthouse/proto/v1/receipt'
import type { Joined, Left, Lost } from '@porthouse/proto/v1/room'
import { codeInfo } from '../../../protocol/codes.ts'
import { visible } from './visible.ts'

/** Of one message, in characters; what is longer is cut, and its size told. */
const TEXT_MAX = 4096

/** A code as people know it from the docs, with what is to be said about it. */
export function why(code: Code, detail: string): string {
  const { name, meaning } = codeInfo(code)
  return `${name}: ${detail === '' ? meaning : visible(detail)}`
}

/** `place`: the room that it came by, where that is not the one that the reader writes to. */
export function wordsOfMessage({ stamp, content }: Envelope, place: string): string {
  const channel = stamp?.channel ? `/${stamp.channel}` : ''
  const to = stamp?.target ? `to ${stamp.target}` : `${place}${channel}`
  const label = to === '' ? '' : `[${visible(to)}] `
  return `${label}${visible(stamp?.from ?? '')}: ${contentOf(content)}`
}

function contentOf({ case: kind, value }: Envelope['content']): string {
  if (kind === undefined) return '(nothing)'
  if (kind === 'text') return cut(value)
  return isUtf8(value) ? cut(Buffer.from(value).toString()) : `(${value.length} bytes)`
}

function cut(text: string): string {
  if (text.length <= TEXT_MAX) return visible(text)
  return `${visible(text.slice(0, TEXT_MAX))}… (${text.length} characters)`
}

export function wordsOfJoined({ address, maySend, listening }: Joined): string {
  const place = visible(address)
  if (!maySend && !listening) return `You are in ${place}, with no right to send or listen.`
  if (!maySend) return `You are in ${place}, to listen.`
  if (!listening) return `You are in ${place}, to send: each line is a message. /help tells more.`
  return `You are in ${place}: each line is a message. /help tells more.`
}

export function wordsOfLeft({ address, code }: Left): string {
  const reason = code === Code.UNSPECIFIED ? '' : ` (${why(code, '')})`
  return `You are no longer in ${visible(address)}${reason}.`
}

export function wordsOfLost({ count, code }: Lost): string {
  return `${count} ${count === 1 ? 'message was' : 'messages were'} lost (${why(code, '')}).`
}

export function wordsOfReceipt({ code, detail, rejections }: Receipt): string[] {
  if (code !== Code.UNSPECIFIED) return [`Not sent. ${why(code, detail)}`]
  return rejections.map(
    (each) => `Not sent to ${visible(each.address)}. ${why(each.code, each.detail)}`,
  )
}

export function wordsOfDrop({ code, detail, retryAfterMs }: Drop): string {
  const later = retryAfterMs > 0 ? ` Come back in ${Math.ceil(retryAfterMs / 1000)} s.` : ''
  return `${why(code, detail)}.${later}`
}

export function wordsOfEvent({ kind, socket, identities, place, lock, detail }: Event): string {
  const who = [socket, ...identities].filter((name) => name !== '').join(', ')
  const facts = [who, place, lock, detail].filter((fact) => fact !== '').map(visible)
  const [name = 'event'] = Object.entries(EventKind).find(([, value]) => value === kind) ?? []
  return `(${[name.toLowerCase(), ...facts].join('; ')})`
}

export function wordsOfSockets({ sockets, more }: Sockets): string[] {
  const lines = sockets.map(({ socket, identities, rooms, self }) => {
    const facts = [...identities, ...rooms.map(rightsIn)].map(visible)
    return `${visible(socket)}${self ? ' (this one)' : ''} ${facts.join(' ')}`.trimEnd()
  })
  return more ? [...lines, 'and more'] : lines
}

function rightsIn({ address, maySend, listening, mayAdmit }: Allowance): string {
  const rights = [maySend && 'send', listening && 'listen', mayAdmit && 'admit']
  return `${address} (${rights.filter(Boolean).join(', ')})`
}
