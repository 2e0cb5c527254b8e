/**
 * Loaded into a server on Node whose memory is measured: at SIGUSR2 it collects its garbage and
 * gives back what is free, so that what is left is in use. How much V8 lets lie differs from run to
 * run by more than all connections take, and it gives back pages one collection later.
 */
import { Session } from 'node:inspector'
import { setTimeout as delay } from 'node:timers/promises'

const COLLECTIONS = 4
const PAUSE_MS = 400

const session = new Session()
session.connect()

process.on('SIGUSR2', async () => {
  for (let n = 0; n < COLLECTIONS; n++) {
    session.post('HeapProfiler.collectGarbage')
    await delay(PAUSE_MS)
  }
})
