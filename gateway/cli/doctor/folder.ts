/** The data folder: is it there, for its owner alone, and is there space in it. */
import { stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../../config/config.ts'
import { bad, doubtful, type Finding, good, reasonOf } from './finding.ts'

const GIB = 1024 ** 3
/** What a durable room needs at least to live on for a while, in bytes. */
const SPACE_MIN = GIB

/** Rights of others than the owner. */
const OTHERS = 0o077

export async function checkFolder({ data }: Config): Promise<Finding[]> {
  const check = 'data folder'
  try {
    const { mode } = await stat(data)
    if (mode & OTHERS) return [bad(check, `others may read ${data}`, `chmod 700 ${data}`)]
    return [good(check, data), await checkSpace(data), ...(await checkKey(data))]
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      return [bad(check, reasonOf(error), 'choose another folder with --data DIR')]
    }
    return [good(check, `${data} is made at the first start`)]
  }
}

async function checkSpace(folder: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(folder)
  const free = bavail * bsize
  const detail = `${(free / GIB).toFixed(1)} GiB are free`
  if (free >= SPACE_MIN) return good('disk', detail)
  return doubtful('disk', detail, 'make room, or durable rooms will refuse what they cannot store')
}

async function checkKey(folder: string): Promise<Finding[]> {
  const file = join(folder, 'operator.key')
  const found = await stat(file).catch(() => undefined)
  if (!found) return []
  if (found.mode & OTHERS) {
    return [bad('operator key', 'others may read it', 'porthouse operator key --rotate')]
  }
  return [good('operator key', 'for its owner alone')]
}
