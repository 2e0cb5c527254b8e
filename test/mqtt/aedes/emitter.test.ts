/** Aedes' emitter over the router: mqemitter's own suite, whole, over a real graph. */
import { randomBytes } from 'node:crypto'
import abstractTests from 'mqemitter/abstractTest.js'
import { describe } from 'vitest'
import { Emitter, type Topics } from '../../../gateway/ingress/mqtt/aedes/emitter.ts'
import { Uuid7Source } from '../../../gateway/protocol/uuid7.ts'
import { Graph } from '../../../gateway/router/graph.ts'
import { Place } from '../../../gateway/router/place.ts'
import { Turn } from '../../../gateway/router/turn.ts'
import { limits } from '../../support/limits.ts'
import { nodeTest } from '../../support/node-test.ts'
import { plainPlace } from '../../support/plain-place.ts'

interface Options {
  readonly matchEmptyLevels?: boolean
  readonly separator?: string
  readonly wildcardOne?: string
  readonly wildcardSome?: string
}

/**
 * All topics as channels of one room, each level escaped so that it is a legal one whatever it
 * holds. An empty level is a level as any other, or, where it is to match nothing, makes a topic
 * that nobody hears.
 */
function inOneRoom(place: Place, options: Options = {}): Topics {
  const {
    matchEmptyLevels = true,
    separator = '/',
    wildcardOne = '+',
    wildcardSome = '#',
  } = options
  const legal = (level: string) => `l${encodeURIComponent(level).replaceAll('*', '%2A')}`
  const filterOf = (levels: readonly string[]) =>
    levels.map((level) => (level === wildcardOne ? '*' : legal(level)))
  return {
    channelOf(topic) {
      const levels = topic.split(separator)
      if (!matchEmptyLevels && levels.includes('')) return undefined
      return { place, channel: levels.map(legal).join('/') }
    },
    filtersOf(filter) {
      const levels = filter.split(separator)
      if (levels.at(-1) !== wildcardSome) return { place, filters: [filterOf(levels).join('/')] }
      const above = filterOf(levels.slice(0, -1))
      if (above.length === 0) return { place, filters: [''] }
      return { place, filters: [above.join('/'), [...above, '**'].join('/')] }
    },
    topicOf: (_, channel) =>
      channel
        .split('/')
        .map((level) => decodeURIComponent(level.slice(1)))
        .join(separator),
  }
}

function newHall(options?: Options) {
  const turn = new Turn(setImmediate)
  const graph = new Graph()
  const place = new Place(1, 'acme/hall', { epoch: 1, sequence: 0 }, plainPlace, turn)
  graph.addPlace(place, [place.name])
  const ids = new Uuid7Source(Date.now, randomBytes)
  const topics = inOneRoom(place, options)
  return { graph, place, turn, emitter: new Emitter({ turn, ids, topics, limits }) }
}

describe("mqemitter's own suite", () => {
  abstractTests({ builder: (options?: Options) => newHall(options).emitter, test: nodeTest })
})
