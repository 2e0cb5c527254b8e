/** A lock between processes that ends with the process that holds it, however that ends. */
import { DatabaseSync } from 'node:sqlite'

const SQLITE_BUSY = 5

/** Held for as long as the process lives. */
const held: DatabaseSync[] = []

/**
 * Takes the lock of a file, or returns false where another process has it. Node offers no lock of
 * the kernel's but this one: the exclusive mode of SQLite, which locks the file and writes nothing
 * to it.
 */
export function takeLock(path: string): boolean {
  const file = new DatabaseSync(path)
  try {
    file.exec('pragma journal_mode = memory; begin exclusive')
  } catch (error) {
    file.close()
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return false
    throw error
  }
  held.push(file)
  return true
}
