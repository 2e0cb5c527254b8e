/** What Go's own tools find in the Go client, its samples and its tests. */
import { expect, test } from 'vitest'
import { ALL, GO_MS, go, gofmt, staticcheck } from './tools.ts'

test('gofmt would change nothing', { timeout: GO_MS }, async () => {
  expect(await gofmt('-l', '.')).toBe('')
})

test('go.mod is tidy', { timeout: GO_MS }, async () => {
  expect(await go(['mod', 'tidy', '-diff'])).toBe('')
})

test('go vet finds nothing', { timeout: GO_MS }, async () => {
  expect(await go(['vet', ...ALL])).toBe('')
})

test('staticcheck finds nothing', { timeout: GO_MS }, async () => {
  expect(await staticcheck(...ALL)).toBe('')
})
