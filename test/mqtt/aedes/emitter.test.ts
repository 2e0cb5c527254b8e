/** Aedes' emitter over the router: mqemitter's own suite, whole, over a real graph. */
import { randomBytes } from 'node:crypto'
import { Code } from '@porthouse/proto/v1/code'
import abstractTests from 'mqemitter/abstractTest.js'
import { describe, expect, test } from 'vitest'
import { Emitter, type Topics } from '../../../gateway/ingress/mqtt/aedes/emitter.ts'
import { nameOf } from '../../../gateway/ingress/mqtt/aedes/names.ts'
import { topicsOf } from '../../../gateway/ingress/mqtt/aedes/topics.ts'
import { Uuid7Source } from '../../../gateway/protocol/uuid7.ts'
import { refused } from '../../../gateway/router/destination.ts'
import { Graph } from '../../../gateway/router/graph.ts'
import { Place } from '../../../gateway/router/place.ts'
import { Turn } from '../../../gateway/router/turn.ts'
import { limits } from '../../support/limits.ts'
import { nodeTest } from '../../support/node-test.ts'
import { plainPlace } from '../../support/plain-place.ts'
import { Switchboard } from '../../support/switchboard.ts'

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
  const turn = new Turn(setImmediate, () => performance.now())
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

/** Over topics as they are, in the room acme/hall. */
function newLiveHall() {
  const board = new Switchboard()
  const ids = new Uuid7Source(() => board.now, randomBytes)
  const { graph, turn } = board
  const emitter = new Emitter({ turn, ids, topics: topicsOf(graph), limits })
  return { board, emitter, place: board.place('acme/hall') }
}

describe('through the emitter', () => {
  test('members of a room hear what is emitted, and are not waited for', () => {
    const { board, emitter, place } = newLiveHall()
    const member = board.socket()
    place.listen(member.enter(place), '')
    let isDone = false
    emitter.emit({ topic: 'acme/hall/a', payload: Buffer.from('hi'), qos: 1 }, () => {
      isDone = true
    })
    expect(isDone).toBe(false)
    board.endTurn()
    expect(isDone).toBe(true)
    const [frame] = member.take()
    const envelope = frame?.body.case === 'envelope' ? frame.body.value : undefined
    expect(envelope?.content).toEqual({ case: 'payload', value: new TextEncoder().encode('hi') })
    expect(envelope?.stamp).toMatchObject({ channel: 'a', sequence: 1n })
  })

  test('it waits for no window, and what members send may wait for one', () => {
    const { board, emitter, place } = newLiveHall()
    place.config = { ...place.config, flushWindowMs: 5 }
    board.loop.load.busy = true
    const member = board.socket()
    member.enter(place)
    const log: string[] = []
    emitter.on('acme/hall', ({ payload }, done) => {
      log.push(`${payload}`)
      done()
    })
    const content = { case: 'text' as const, value: 'sent' }
    board.publish(member, { routing: { to: ['room:acme/hall'] }, content })
    board.endTurn()
    expect(log).toEqual([])
    emitter.emit({ topic: 'acme/hall', payload: 'emitted' }, () => log.push('done'))
    board.endTurn()
    expect(log).toEqual(['sent', 'emitted', 'done'])
  })

  test('listeners hear what members send', () => {
    const { board, emitter, place } = newLiveHall()
    const member = board.socket()
    member.enter(place)
    const heard: unknown[] = []
    emitter.on('acme/hall/+', (packet, done) => {
      heard.push(packet)
      done()
    })
    const content = { case: 'payload' as const, value: Buffer.from('hi') }
    for (const to of ['room:acme/hall', 'room:acme/hall/a', 'room:acme/hall/a/b']) {
      board.publish(member, { routing: { to: [to] }, content })
    }
    board.endTurn()
    expect(heard).toEqual([{ topic: 'acme/hall/a', payload: Buffer.from('hi'), qos: 0 }])
  })

  test('nothing goes to names of sessions, to $SYS or to where no room is', () => {
    const { board, emitter, place } = newLiveHall()
    const heard: string[] = []
    const filters = ['#', '+/+', '$SYS/#', nameOf('acme/hall'), 'acme/nowhere', 'a#', 'other/#']
    let answers = 0
    for (const filter of filters) {
      emitter.on(
        filter,
        (packet, done) => {
          heard.push(packet.topic)
          done()
        },
        () => answers++,
      )
    }
    const topics = ['$SYS/1/heartbeat', nameOf('acme/hall'), 'acme/nowhere', 'acme', '', 'a/#']
    for (const topic of topics) emitter.emit({ topic }, () => answers++)
    expect(answers).toBe(filters.length + topics.length)
    emitter.emit({ topic: 'acme/hall/a' })
    board.endTurn()
    expect(heard).toEqual([])
    expect(place.members.size).toBe(0)
    expect(emitter.current).toBe(0)
  })

  test('a session is closed when Aedes says so: its listening ends at once', () => {
    const { emitter } = newLiveHall()
    let isEnded = false
    const name = nameOf('acme/hall')
    const notify = () => {}
    emitter.on(name, notify)
    emitter.removeListener(name, notify, () => {
      isEnded = true
    })
    expect(isEnded).toBe(true)
  })

  test('what the room refuses, or is too large, is done with', () => {
    const { emitter, place } = newLiveHall()
    place.intake = { take: ({ waiter }) => waiter.settle(refused('', Code.INTERNAL, 'no')) }
    const ends: (Error | undefined)[] = []
    emitter.emit({ topic: 'acme/hall' }, (error) => ends.push(error))
    const payload = Buffer.alloc(limits.payloadBytes + 1)
    emitter.emit({ topic: 'acme/hall', payload }, (error) => ends.push(error))
    expect(ends).toMatchObject([{ code: Code.INTERNAL }, { code: Code.PAYLOAD_TOO_LARGE }])
    expect(emitter.current).toBe(0)
  })

  test('one that never answers holds up its own message alone', () => {
    const { board, emitter } = newLiveHall()
    const heard: string[] = []
    emitter.on('acme/hall/a', () => {})
    emitter.on('acme/hall/#', (packet, done) => {
      heard.push(packet.topic)
      done()
    })
    const ended: string[] = []
    for (const topic of ['acme/hall/a', 'acme/hall/b']) {
      emitter.emit({ topic }, () => ended.push(topic))
    }
    board.endTurn()
    expect(heard.toSorted()).toEqual(['acme/hall/a', 'acme/hall/b'])
    expect(ended).toEqual(['acme/hall/b'])
    expect(emitter.current).toBe(1)
  })
})
