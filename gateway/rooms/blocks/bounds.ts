/** What the checks of blocks have in common; each fault is a sentence with the field's path. */
import type { DescEnum } from '@bufbuild/protobuf'
import { Refusal } from '../../protocol/codes.ts'

/** Nothing, or that a number is too large. */
export function* atMost(path: string, value: number, max: number): Iterable<string> {
  if (value > max) yield `${path}: ${value} is over ${max}`
}

/** Nothing, or that an enum has no such value; that of 0 stands for a default. */
export function* known(path: string, value: number, { values }: DescEnum): Iterable<string> {
  if (!values.some(({ number }) => number === value)) yield `${path}: no value ${value}`
}

/** Nothing, or what a check throws. */
export function* thrown(path: string, check: () => unknown): Iterable<string> {
  try {
    check()
  } catch (error) {
    yield `${path}: ${reasonOf(error)}`
  }
}

function reasonOf(error: unknown): unknown {
  if (error instanceof Refusal) return error.detail
  return error instanceof Error ? error.message : error
}
