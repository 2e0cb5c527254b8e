import { beforeEach, expect, test } from 'vitest'
import { Failures } from '../../gateway/identity/failures.ts'

let now: number
let failures: Failures

beforeEach(() => {
  now = 0
  failures = new Failures(10, () => now)
})

function wrong(address: string, times: number): void {
  for (let i = 0; i < times; i++) failures.add(address)
}

test('a network may be wrong so often a minute, then nobody new is heard from there', () => {
  wrong('192.0.2.1', 9)
  expect(failures.allows('192.0.2.7')).toBe(true)
  wrong('192.0.2.2', 1)
  expect(failures.allows('192.0.2.7')).toBe(false)
  expect(failures.allows('::ffff:192.0.2.9')).toBe(false)
})

test('others are not concerned', () => {
  wrong('192.0.2.1', 100)
  expect(failures.allows('198.51.100.1')).toBe(true)
  expect(failures.allows('2001:db8::1')).toBe(true)
})

test('it is over with time, however often somebody was wrong', () => {
  wrong('2001:db8::1', 10_000)
  expect(failures.allows('2001:db8::ffff')).toBe(false)
  now += 6_000
  expect(failures.allows('2001:db8::ffff')).toBe(true)
})

test('a thousand networks are each counted for themselves, and forgotten in the end', () => {
  for (let i = 0; i < 1000; i++) wrong(`10.${i >> 8}.${i & 255}.1`, 9)
  expect(failures.allows('10.0.0.2')).toBe(true)
  wrong('10.0.0.1', 1)
  expect(failures.allows('10.0.0.2')).toBe(false)
  for (let i = 0; i < 10_001; i++) wrong(`11.${i >> 8}.${i & 255}.1`, 1)
  expect(failures.allows('10.0.0.2')).toBe(true)
})
