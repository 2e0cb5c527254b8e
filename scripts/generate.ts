/** Writes every file that is rendered from a table in the code. The tests prove them fresh. */
import { writeFileSync } from 'node:fs'
import { rendered } from './render/rendered.ts'

for (const [file, text] of Object.entries(rendered())) writeFileSync(file, text)
