/** One round of a soak: everybody at once, with a token that is made for it and then deleted. */
import { build, outstay, withToken } from './comings.ts'
import { report, sleep } from './devices.ts'
import { post } from './posts.ts'
import { happens, type Scene } from './scene.ts'
import { stopReading } from './slow-readers.ts'
import { intrude } from './strangers.ts'
import { comeBack, visit } from './visitors.ts'

type Part = (scene: Scene, n: number) => Promise<void>

const parts: readonly { readonly play: Part; readonly times: number }[] = [
  { play: visit, times: 24 },
  { play: comeBack, times: 4 },
  { play: report, times: 12 },
  { play: sleep, times: 4 },
  { play: post, times: 4 },
  { play: stopReading, times: 1 },
  { play: intrude, times: 1 },
  { play: build, times: 1 },
  { play: outstay, times: 1 },
]

/**
 * With this share of everybody, at least one of each kind. Resolves when all have gone; rejects
 * where one did not find what he came for.
 */
export async function playRound(given: Omit<Scene, 'token'>, share: number): Promise<void> {
  await withToken(given.house, async ({ secret: token }) => {
    const scene = { ...given, token }
    const played = parts.flatMap(({ play, times }) =>
      Array.from({ length: Math.ceil(times * share) }, (_, n) => inTime(play.name, play(scene, n))),
    )
    const failed = (await Promise.allSettled(played)).find(({ status }) => status === 'rejected')
    if (failed?.status === 'rejected') throw failed.reason
  })
}

/** Rejects by the name of the part where it fails, or does not end. */
async function inTime(name: string, played: Promise<void>): Promise<void> {
  try {
    await happens<void>('its end', (resolve, reject) => played.then(resolve, reject))
  } catch (cause) {
    throw new Error(`${name}: ${(cause as Error).message}`, { cause })
  }
}
