/** Topics of rooms that are there, as the emitter needs them. */
import type { Graph } from '../../../router/graph.ts'
import { parseTopicFilter } from '../mapping/filter.ts'
import { roomOfTopic, topicOf } from '../mapping/topic.ts'
import type { Topics } from './emitter.ts'

export function topicsOf(graph: Graph): Topics {
  return {
    topicOf,
    channelOf(topic) {
      const address = legal(() => roomOfTopic(topic))
      const place = address && graph.place(`${address.account}/${address.room}`)
      return place && { place, channel: address.channel ?? '' }
    },
    filtersOf(filter) {
      const parsed = legal(() => parseTopicFilter(filter))
      if (parsed?.kind !== 'room') return undefined
      const place = graph.place(`${parsed.account}/${parsed.room}`)
      return place && { place, filters: parsed.filters }
    },
  }
}

/** Undefined where it is none. */
function legal<T>(parse: () => T): T | undefined {
  try {
    return parse()
  } catch {
    return undefined
  }
}
