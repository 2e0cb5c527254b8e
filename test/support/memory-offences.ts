/** Offences, in memory. */
import { BlockList, isIPv6 } from 'node:net'
import type { Offence, OffenceChoice, Offences } from '../../gateway/store/store.ts'

export class MemoryOffences implements Offences {
  readonly #answer: () => Promise<void>
  readonly #known = new Map<string, Offence>()

  /** `answer`: rejects where the store is away. */
  constructor(answer: () => Promise<void>) {
    this.#answer = answer
  }

  async add(subjects: readonly string[], at: Date, halfLifeMs: number): Promise<void> {
    await this.#answer()
    for (const subject of new Set(subjects)) {
      const last = this.#known.get(subject) ?? { score: 0, count: 0, at }
      const halfLives = Math.max(0, at.getTime() - last.at.getTime()) / halfLifeMs
      const score = 1 + last.score * 0.5 ** halfLives
      const latest = new Date(Math.max(last.at.getTime(), at.getTime()))
      this.#known.set(subject, { subject, score, count: last.count + 1, at: latest })
    }
  }

  async find(subjects: readonly string[]): Promise<Offence[]> {
    await this.#answer()
    return [...this.#known.values()].filter(({ subject }) => subjects.includes(subject))
  }

  async list(
    { after, limit = 1_000 }: Parameters<Offences['list']>[0] = {},
    choice?: OffenceChoice,
  ): Promise<Offence[]> {
    await this.#answer()
    const listed = [...this.#known.values()].filter(({ subject }) => isChosen(subject, choice))
    listed.sort(inOrder)
    return listed.filter((one) => !after || inOrder(after, one) < 0).slice(0, limit)
  }

  async clear(choice?: OffenceChoice): Promise<number> {
    await this.#answer()
    const gone = [...this.#known.keys()].filter((subject) => isChosen(subject, choice))
    for (const subject of gone) this.#known.delete(subject)
    return gone.length
  }
}

type Position = Pick<Offence, 'at' | 'subject'>

/** The latest first. */
function inOrder(a: Position, b: Position): number {
  return b.at.getTime() - a.at.getTime() || (a.subject < b.subject ? -1 : 1)
}

function isChosen(subject: string, choice: OffenceChoice | undefined): boolean {
  if (!choice) return true
  if ('subject' in choice) return subject === choice.subject
  if ('prefixes' in choice) return choice.prefixes.some((prefix) => subject.startsWith(prefix))
  const [, network] = /^address:(.*\/\d+)$/.exec(subject) ?? []
  return network !== undefined && (holds(choice.network, network) || holds(network, choice.network))
}

function holds(network: string, other: string): boolean {
  const [start = '', bits] = network.split('/')
  const [address = ''] = other.split('/')
  const family = (ip: string) => (isIPv6(ip) ? 'ipv6' : 'ipv4')
  const list = new BlockList()
  if (bits === undefined) list.addAddress(start, family(start))
  else list.addSubnet(start, Number(bits), family(start))
  return family(start) === family(address) && list.check(address, family(address))
}
