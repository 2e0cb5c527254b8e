/**
 * What a gateway holds: memory, and objects by class. What V8 compiles moves bytes for a long time,
 * and does not move counts: one session that stays behind is one more, however small it is.
 */
import type { Inspector } from '../heap/inspector.ts'
import { root } from '../tools.ts'

/** Memory in bytes, garbage collected. */
export interface Held {
  /** In use of V8's heap, but for compiled code and bytecode. */
  readonly heap: number
  readonly code: number
  /** In use beside the heap. */
  readonly buffers: number
  readonly resident: number
  /** By class, those of its subclasses among them. */
  readonly objects: Readonly<Record<string, number>>
}

/**
 * As the gateway's process has them: what is required there is what it has loaded. To count those
 * of one class takes half a second, for all garbage is collected first.
 */
export const classes = {
  sessions: "require('./gateway/session/session.ts').Session",
  functions: 'Function',
  maps: 'Map',
} as const

export type Class = keyof typeof classes

const look = (counted: readonly Class[]) => `(() => {
  const require = process.getBuiltinModule('module').createRequire('${root}/')
  const { getHeapSpaceStatistics, queryObjects } = require('node:v8')
  const isCode = ({ space_name }) => /^(code|trusted)_/.test(space_name)
  const code = getHeapSpaceStatistics().filter(isCode)
  const count = (made) => queryObjects(made, { format: 'count' })
  return {
    code: code.reduce((sum, { space_used_size }) => sum + space_used_size, 0),
    objects: {
      ${counted.map((name) => `${name}: count(${classes[name]}),`).join('\n      ')}
    },
  }
})()`

/**
 * What V8 learns of a function it takes memory for at the first call, and bytecode it keeps: else
 * both come when one after the other has been called often enough, and go with garbage.
 */
const FLAGS = ['--no-lazy-feedback-allocation', '--no-flush-bytecode']

/** To be called once, before anything is looked at. */
export async function steady(inspector: Inspector): Promise<void> {
  const set = `process.getBuiltinModule('node:v8').setFlagsFromString`
  await inspector.evaluate(FLAGS.map((flag) => `${set}('${flag}')`).join(';'))
}

export async function held(inspector: Inspector, counted: readonly Class[]): Promise<Held> {
  const { heapUsed, buffers, resident } = await inspector.memory()
  const { code, objects } = await inspector.evaluate<Pick<Held, 'code' | 'objects'>>(look(counted))
  return { heap: heapUsed - code, code, buffers, resident, objects }
}
