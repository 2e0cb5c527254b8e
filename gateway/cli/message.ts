/** A message as the command line shows it. */
import { isUtf8 } from 'node:buffer'
import type { Message } from '@porthouse/client'
import { harmless, print, printJson, styled } from './output.ts'

/** One line of `listen --json`: `text` where the payload is UTF-8, else `payload` in base64. */
export function messageForScripts(message: Message) {
  const { id, from, address, channel, sequence, epoch, time, replay } = message
  const { contentType, headers, replyTo, correlationId } = message
  const text = textOf(message)
  return {
    id,
    from,
    address,
    ...(channel && { channel }),
    sequence: Number(sequence),
    epoch: Number(epoch),
    time: time.toISOString(),
    ...(replay && { replay }),
    ...(text === undefined ? { payload: base64(message.payload) } : { text }),
    ...(contentType && { contentType }),
    ...(Object.keys(headers).length > 0 && { headers }),
    ...(replyTo && { replyTo }),
    ...(correlationId && { correlationId: base64(correlationId) }),
  }
}

/** One line for a person: who, in which channel, and what. */
export function messageForPeople(message: Message): string {
  const { channel, from, payload } = message
  const text = textOf(message) ?? `(${payload.length} bytes) ${base64(payload)}`
  const place = channel ? ` ${styled('cyan', harmless(channel))}` : ''
  return `${styled('dim', harmless(from))}${place}: ${harmless(text)}`
}

export function printMessage(message: Message, form: { text?: boolean; json?: boolean }): void {
  if (form.json) return printJson(messageForScripts(message))
  if (!form.text) return print(messageForPeople(message))
  const text = textOf(message)
  if (text !== undefined) return print(process.stdout.isTTY ? harmless(text) : text)
  process.stdout.write(Buffer.concat([message.payload, Buffer.from('\n')]))
}

function textOf({ text, payload }: Message): string | undefined {
  return text ?? (isUtf8(payload) ? Buffer.from(payload).toString('utf8') : undefined)
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
