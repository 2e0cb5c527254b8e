/** What the checks of blocks have in common; a fault's path is from the block on. */
import type { DescEnum } from '@bufbuild/protobuf'
import type { Fault } from '../../locks/fault.ts'

/** Nothing, or that a number is too large. */
export function* atMost(path: string, value: number, max: number): Iterable<Fault> {
  if (value > max) yield { path, reason: `${value} is over ${max}` }
}

/** Nothing, or that a list is too long. */
export function* notOver(path: string, list: readonly unknown[], max: number): Iterable<Fault> {
  if (list.length > max) yield { path, reason: `${list.length} items are over ${max}` }
}

/** Nothing, or that an enum has no such value; that of 0 stands for a default. */
export function* known(path: string, value: number, { values }: DescEnum): Iterable<Fault> {
  if (!values.some(({ number }) => number === value)) yield { path, reason: `no value ${value}` }
}
