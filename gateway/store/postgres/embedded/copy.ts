/** Copies of folders that appear whole or not at all. */
import { cp, mkdtemp, rename, rm, stat } from 'node:fs/promises'

/**
 * Copies a folder unless the copy is there already; `complete` is called before others can see it.
 */
export async function copyTree(
  from: string,
  to: string,
  complete: (folder: string) => Promise<void>,
): Promise<string> {
  if (await stat(to).catch(() => undefined)) return to
  const draft = await mkdtemp(`${to}.`)
  try {
    await cp(from, draft, { recursive: true, verbatimSymlinks: true })
    await complete(draft)
    await rename(draft, to).catch(async (error) => {
      // Another process was quicker, with the same copy.
      if (!(await stat(to).catch(() => undefined))) throw error
    })
    return to
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}
