/** Those who post: each kept for a while after his last post, few enough for the memory. */
import { Code } from '@porthouse/proto/v1/code'
import type { Config } from '../../config/config.ts'
import { Refusal } from '../../protocol/codes.ts'
import type { Core } from '../core.ts'
import type { Author } from './author.ts'
import { Poster } from './poster.ts'

export interface PostersOptions {
  /** How long an end waits for what is under way, in milliseconds. */
  readonly drainMs: number
  /** Who are kept at once. */
  readonly authors: number
  /** How long after the last post, at least, in milliseconds. */
  readonly idleMs: number
  /** Posts of one of them that may be under way. */
  readonly waiting: number
}

interface Kept {
  readonly poster: Poster
  underWay: number
  usedAt: number
}

/** By either way of sending without a socket; undefined where both are off. */
export function openPosters(
  core: Core,
  { features, messages, drainMs }: Pick<Config, 'features' | 'messages' | 'drainMs'>,
): Posters | undefined {
  const isOn = features.includes('messages') || features.includes('admin')
  return isOn ? new Posters(core, { ...messages, drainMs }) : undefined
}

export class Posters {
  readonly #core: Core
  readonly #options: PostersOptions
  /** By their keys, those whose last post is longest ago first. */
  readonly #kept = new Map<string, Kept>()
  readonly #sweeper: NodeJS.Timeout
  #underWay = 0
  #idle = Promise.withResolvers<void>()
  #draining = false

  constructor(core: Core, options: PostersOptions) {
    this.#core = core
    this.#options = options
    this.#sweeper = setInterval(() => this.#sweep(), options.idleMs).unref()
  }

  /**
   * Does something in an author's name, who is kept until that is done. Rejects with Refusal
   * DRAINING, or QUEUE_FULL where too much is under way already.
   */
  async run<T>(author: Author, does: (poster: Poster) => Promise<T>): Promise<T> {
    const kept = this.#of(author)
    if (kept.underWay >= this.#options.waiting) {
      throw new Refusal(Code.QUEUE_FULL, `over ${this.#options.waiting} posts are under way`)
    }
    kept.underWay++
    this.#underWay++
    try {
      return await does(kept.poster)
    } finally {
      kept.underWay--
      kept.usedAt = this.#core.uptime()
      if (--this.#underWay === 0) this.#idle.resolve()
    }
  }

  /** Takes no more posts, waits a while for those under way, and lets go of everything. */
  async stop(): Promise<void> {
    this.#draining = true
    clearInterval(this.#sweeper)
    const late = AbortSignal.timeout(this.#options.drainMs)
    const timeout = new Promise<void>((resolve) => {
      late.addEventListener('abort', () => resolve())
    })
    if (this.#underWay > 0) {
      this.#idle = Promise.withResolvers()
      await Promise.race([this.#idle.promise, timeout])
    }
    for (const { poster } of this.#kept.values()) poster.session.end()
    this.#kept.clear()
  }

  #of(author: Author): Kept {
    if (this.#draining) throw new Refusal(Code.DRAINING, 'the gateway goes down')
    const { key } = author
    const known = this.#kept.get(key)
    this.#kept.delete(key)
    if (known && !known.poster.session.closed) {
      known.poster.renew(author)
      this.#kept.set(key, known)
      return known
    }
    if (this.#kept.size >= this.#options.authors) this.#forgetOne()
    const made = { poster: new Poster(this.#core, author), underWay: 0, usedAt: 0 }
    this.#kept.set(key, made)
    return made
  }

  #forgetOne(): void {
    for (const [key, kept] of this.#kept) {
      if (kept.underWay > 0) continue
      return this.#forget(key, kept)
    }
    throw new Refusal(Code.QUEUE_FULL, 'too many post at the same time')
  }

  #sweep(): void {
    const now = this.#core.uptime()
    for (const [key, kept] of this.#kept) {
      const isIdle = kept.underWay === 0 && now - kept.usedAt >= this.#options.idleMs
      if (isIdle) this.#forget(key, kept)
    }
  }

  #forget(key: string, { poster }: Kept): void {
    this.#kept.delete(key)
    poster.session.end()
  }
}
