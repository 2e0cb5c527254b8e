/** Loads the module that collects traces (setting traces.sdk), before anything is traced. */
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Config } from '../config/config.ts'
import { EXIT, Failure } from './failure.ts'

/** What such a module may export. */
interface Sdk {
  /** Is called last of all, to send what was collected. */
  readonly shutdown?: () => Promise<void> | void
}

const NOTHING: Required<Sdk> = { shutdown() {} }

/** Rejects with a Failure where the module cannot be loaded. */
export async function openTraces({ features, traces }: Config): Promise<Required<Sdk>> {
  const { sdk } = traces
  if (sdk === undefined || !features.includes('traces')) return NOTHING
  try {
    return { ...NOTHING, ...((await import(urlOf(sdk))) as Sdk) }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new Failure('CONFIG', `traces.sdk ${sdk} cannot be loaded: ${reason}`, EXIT.usage, cause)
  }
}

/** A path, or the name of a package that is found from here. */
function urlOf(sdk: string): string {
  const isPath = /^(\.{0,2}\/|[A-Za-z]:[\\/])/.test(sdk)
  const here = process.cwd()
  const file = isPath ? resolve(here, sdk) : createRequire(join(here, 'porthouse.js')).resolve(sdk)
  return pathToFileURL(file).href
}
