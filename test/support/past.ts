/** Rooms with a past, and how sockets ask for it. */
import type { Block } from '@porthouse/proto/room/v1/config'
import { Keep } from '@porthouse/proto/room/v1/history'
import { ReceiptLevel } from '@porthouse/proto/v1/receipt'
import { answer, type FrameInit, text } from './client-frames.ts'
import type { Guest, Hall } from './hall.ts'
import { position, roomFrame, told } from './told.ts'

export const QUIET = { receipt: ReceiptLevel.UNSPECIFIED }
export const STORED = { receipt: ReceiptLevel.STORED }

export function keeping(keep: Keep, window?: object): Block['kind'] {
  return { case: 'history', value: { keep, ...(window && { window }) } as never }
}

export const DURABLE = keeping(Keep.DURABLE)

export function block(kind: NonNullable<Block['kind']['case']>, value: object): Block['kind'] {
  return { case: kind, value } as unknown as Block['kind']
}

/** A Join with a backlog: after a position, or another one. */
export function joinFrom(id: number, address: string, backlog: object | number): FrameInit {
  const asked = typeof backlog === 'number' ? since(backlog) : backlog
  return roomFrame(id, 'join', { address, backlog: asked })
}

export function since(sequence: number, epoch = 0): object {
  return { case: 'after', value: position(sequence, epoch) }
}

export const UNREAD = { case: 'unread', value: true }

export function cursor(id: number, address: string, sequence: number, epoch = 0): FrameInit {
  return roomFrame(id, 'cursor', { address, position: position(sequence, epoch) })
}

/** A socket that has proved a token. */
export async function proved(hall: Hall, secret: string): Promise<Guest> {
  const guest = hall.open().say(answer(99, secret))
  await hall.settle()
  guest.take()
  return guest
}

/** What it was told since the last time, when nothing goes on by itself any more. */
export async function hears(hall: Hall, guest: Guest): Promise<string[]> {
  await hall.settle()
  return told(guest.take())
}

/** Sends words to an address, without receipts. */
export function speak(guest: Guest, address: string, ...words: string[]): void {
  guest.say(...words.map((word) => text(0, word, { ...QUIET, to: [address] })))
}

/** Words that count from 1. */
export function words(count: number, first = 1): string[] {
  return Array.from({ length: count }, (_, i) => `${first + i}`)
}
