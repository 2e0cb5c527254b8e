/** Tells two configs apart by a few characters, without telling what is in them. */
import { createHash } from 'node:crypto'
import type { Config } from './config.ts'

/** Of SHA-256, in hex characters. */
const DIGEST_CHARS = 16

/** The same for the same settings. A password does not count: a digest could be guessed back. */
export function digestOf(config: Config): string {
  const { databaseUrl, ...settings } = config
  const text = JSON.stringify({
    ...settings,
    database: databaseUrl && withoutPassword(databaseUrl),
  })
  return createHash('sha256').update(text).digest('hex').slice(0, DIGEST_CHARS)
}

function withoutPassword(databaseUrl: string): string {
  const url = new URL(databaseUrl)
  url.password = ''
  return url.href
}
