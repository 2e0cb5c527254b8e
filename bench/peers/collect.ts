/**
 * Loaded into a server on Node whose memory is measured: at SIGUSR2 it collects its garbage and
 * gives back what is free, so that what is left is in use. How much V8 lets lie differs from run to
 * run by more than all connections take.
 */
import { Session } from 'node:inspector'

const session = new Session()
session.connect()

process.on('SIGUSR2', () => session.post('HeapProfiler.collectGarbage'))
