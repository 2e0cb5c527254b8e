/** A store that tells how long it takes to answer. */
import { type Store, StoreError } from '../../store/store.ts'
import type { Calls } from '../calls.ts'

/** The same store; every method of its parts that answers later is counted, by `part.method`. */
export function measuredStore(store: Store, calls: Calls): Store {
  return measured(store, [], calls)
}

function measured<Part extends object>(part: Part, path: readonly string[], calls: Calls): Part {
  const known = new Map<string, unknown>()
  return new Proxy(part, {
    get(target, name) {
      const value = Reflect.get(target, name)
      const isPart = typeof value === 'function' || (typeof value === 'object' && value !== null)
      if (typeof name !== 'string' || !isPart) return value
      if (!known.has(name)) {
        const to = [...path, name]
        const of =
          typeof value === 'function' ? timed(target, value as Method, to, calls) : undefined
        known.set(name, of ?? measured(value, to, calls))
      }
      return known.get(name)
    },
  })
}

type Method = (...given: unknown[]) => unknown

function timed(part: object, method: Method, path: readonly string[], calls: Calls) {
  const name = path.join('.')
  return (...given: unknown[]) => {
    const since = performance.now()
    const answer = method.apply(part, given)
    if (!(answer instanceof Promise)) return answer
    const done = (outcome: string) => calls.done(name, outcome, (performance.now() - since) / 1000)
    answer.then(
      () => done('ok'),
      (error) => done(error instanceof StoreError ? error.failure : 'failed'),
    )
    return answer
  }
}
