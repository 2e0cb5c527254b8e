import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { expect, it } from 'vitest'
import { EXIT } from '../../gateway/cli/failure.ts'
import { commandLine } from '../../gateway/cli/program.ts'

const docs = readFileSync(resolve(import.meta.dirname, '../../docs/cli.md'), 'utf8')

function optionsOf(command: Command): string[] {
  const own = command.options.map(({ long }) => long!)
  return [...own, ...command.commands.flatMap(optionsOf)]
}

const program = commandLine()
const options = new Set([...optionsOf(program), '--help'])

it('docs/cli.md names every command and option', () => {
  const names = program.commands.map((command) => command.name())
  expect(names.filter((name) => !docs.includes(`\n## ${name}\n`))).toEqual([])
  const told = [...options].filter((option) => !docs.includes(option) && option !== '--version')
  expect(told).toEqual([])
})

it('docs/cli.md names no option that is not there', () => {
  const named = new Set(docs.match(/(?<![\w-])--[a-z][a-z-]*/g))
  expect([...named].filter((option) => !options.has(option))).toEqual([])
})

it('docs/cli.md lists the exit codes', () => {
  const listed = [...docs.matchAll(/^\| (\d) \|/gm)].map((match) => Number(match[1]))
  expect(listed).toEqual(Object.values(EXIT))
})
