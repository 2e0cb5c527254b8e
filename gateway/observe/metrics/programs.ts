/** Programs of rooms, and their processes. */
import { type Family, single } from './family.ts'

export const programs: readonly Family[] = [
  single(
    'gauge',
    'porthouse_program_processes',
    'Processes of programs: one an account that has any.',
    ({ core }) => core.programs.figures.processes,
  ),
  single(
    'gauge',
    'porthouse_program_queue_messages',
    'Messages that wait for their turn with a program.',
    ({ core }) => core.programs.figures.messages,
  ),
  single(
    'gauge',
    'porthouse_program_queue_bytes',
    'Bytes of them.',
    ({ core }) => core.programs.figures.bytes,
  ),
  single(
    'counter',
    'porthouse_program_failures_total',
    'Processes that broke, or had to be ended and begun anew.',
    ({ core }) => core.programs.figures.failures,
  ),
]
