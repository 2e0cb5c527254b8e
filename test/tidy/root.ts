import { resolve } from 'node:path'

/** The root of the tree. */
export const root = resolve(import.meta.dirname, '../..')
