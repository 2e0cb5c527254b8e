/** Where a page of what is ordered by time begins, as it is written into a page token. */
import type { TimePosition } from '../store/administration.ts'

export type WrittenPosition = readonly [at: string, id: string]

export function writtenPosition(last: { readonly createdAt: Date; readonly id: string }) {
  return [last.createdAt.toISOString(), last.id] satisfies WrittenPosition
}

export function readPosition(written: WrittenPosition | undefined): TimePosition | undefined {
  return written && { at: new Date(written[0]), id: written[1] }
}
