/** `porthouse connect`: type a line, see the others' lines and what became of yours. */
import { createInterface, type Interface } from 'node:readline'
import {
  type Client,
  type Message,
  PorthouseError,
  type Receipt,
  type Room,
  type Since,
} from '@porthouse/client'
import { tellConnection } from './listen.ts'
import { messageForPeople } from './message.ts'
import { print, styled, warn } from './output.ts'
import { type PastOptions, pastOf } from './past.ts'
import { receiptForPeople, rejected } from './receipt.ts'
import { type ClientOptions, type Errand, withClient } from './with-client.ts'

type Send = (text: string) => Promise<Receipt>

/** Until the input ends; what was sent by then has its receipt shown. */
export async function chat(address: string, options: ClientOptions & PastOptions): Promise<void> {
  const since = pastOf(options)
  const talk = async (client: Client, errand: Errand) => {
    const messages = client.messages()
    const room = client.entered ?? (await roomOf(client, errand, since))
    const send = sender(client, errand, room)
    warn(`connected to ${errand.address} as ${errand.as ?? client.socket}`)
    if (process.stdin.isTTY) warn('type a line and press Enter; Ctrl-D leaves')
    await converse(client, send, { messages, room })
  }
  // By its URL a room is entered without its past.
  const enter = since === undefined
  await withClient(address, options, talk, { enter, interactive: true })
}

async function roomOf(
  client: Client,
  { address, isPlace }: Errand,
  since: Since | undefined,
): Promise<Room | undefined> {
  return isPlace ? await client.join(address, { since }) : undefined
}

function sender(client: Client, { address, as }: Errand, room: Room | undefined): Send {
  if (!room) return (text) => client.send(address, text, { as })
  if (!room.listening) warn('you may send here, not listen')
  if (!room.maySend) warn('you may listen here, not send')
  return (text) => room.send(text, { as })
}

interface Heard {
  readonly messages: AsyncIterableIterator<Message>
  readonly room: Room | undefined
}

async function converse(client: Client, send: Send, heard: Heard): Promise<void> {
  const terminal = process.stdin.isTTY && process.stdout.isTTY
  const lines = createInterface({
    input: process.stdin,
    terminal,
    prompt: '> ',
    ...(terminal && { output: process.stdout }),
  })
  const show = (line: string) => (terminal ? above(lines, line) : print(line))
  tellConnection(client, terminal ? show : warn)
  const hearing = hear(client, heard, show).finally(() => lines.close())
  // It is awaited when the input has ended; why it failed is told then.
  hearing.catch(() => {})
  if (terminal) lines.prompt()
  const pending = new Set<Promise<void>>()
  for await (const line of lines) {
    if (terminal) lines.prompt()
    if (line === '') continue
    const told = send(line).then(receiptForPeople, failureForPeople).then(show)
    pending.add(told.finally(() => pending.delete(told)))
  }
  await Promise.all(pending)
  await client.close()
  await hearing
}

function failureForPeople(error: unknown): string {
  if (!(error instanceof PorthouseError)) throw error
  if (error.receipt) return receiptForPeople(rejected(error))
  return `${styled('red', 'FAILED')} nothing is known of this message: ${error.message}`
}

/** Rejects where the gateway ends the connection, or the stay in the place that was entered. */
async function hear(
  client: Client,
  { messages, room }: Heard,
  show: (line: string) => void,
): Promise<void> {
  const left = Promise.withResolvers<never>()
  client.on('drop', ({ address, error }) => {
    const place = room?.address
    if (address && (place === address || place?.startsWith(`${address}/`))) left.reject(error)
  })
  const all = async () => {
    for await (const message of messages) show(messageForPeople(message))
  }
  await Promise.race([all(), left.promise])
}

/** Prints over the line being typed, which then stands below again. */
function above(lines: Interface, line: string): void {
  process.stdout.write(`\r\x1b[K${line}\n`)
  lines.prompt(true)
}
