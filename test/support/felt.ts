/** What R51 promises: what is changed is felt within a second. */
const FELT_MS = 1_000

/** Rejects where it takes longer than R51 allows from when the change was made. */
export async function felt<T>(what: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not felt within ${FELT_MS} ms`)), FELT_MS)
  })
  try {
    return await Promise.race([what, late])
  } finally {
    clearTimeout(timer)
  }
}
