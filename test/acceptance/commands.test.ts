/** The commands that the documents show: each is one, and those of "Rooms that remember" run. */
import { readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { expect, test } from 'vitest'
import { commandLine } from '../../gateway/cli/program.ts'
import { Running } from '../cli/process.ts'
import { root } from '../tidy/root.ts'
import { Hub } from './hub.ts'

const pages = [
  'README.md',
  'examples/programs/README.md',
  ...['docs', 'docs/acceptors', 'docs/rooms'].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name)),
  ),
]

const textOf = (page: string) => readFileSync(join(root, page), 'utf8')

/** Lines of code that call porthouse, alone or in a pipe, without what stands beside them. */
function commandsOf(text: string): string[] {
  const lines = text.match(/^ {4}(?:\$ )?(?:[^#\n]*\| *)?(?:bin\/)?porthouse [a-z].*$/gm) ?? []
  return lines.map((line) =>
    line
      .trim()
      .replace(/^\$ /, '')
      .replace(/ {2,}.*$/, ''),
  )
}

/** Words of the call itself, as a shell would split them. */
function wordsOf(command: string): string[] {
  const [, call = ''] = /porthouse (.*)$/.exec(command) ?? []
  const words = call.match(/'[^']*'|"[^"]*"|[^\s'"]+/g) ?? []
  const end = words.findIndex((word) => /^(?:[|<>;]|&&)/.test(word))
  return words.slice(0, end === -1 ? words.length : end).map((word) => word.replace(/['"]/g, ''))
}

/** The command line as it is, with nothing behind it. */
function parser(): Command {
  const program = commandLine().hook(
    'postAction',
    () => void process.stdout.removeAllListeners('error'),
  )
  const silence = (command: Command) => {
    command.exitOverride().configureOutput({ writeOut: () => {}, writeErr: () => {} })
    if (command.commands.length === 0) command.action(() => {})
    for (const each of command.commands) silence(each)
  }
  silence(program)
  return program
}

test.each(pages)('%s shows commands that there are', (page) => {
  for (const command of commandsOf(textOf(page))) {
    const words = wordsOf(command)
    expect(() => parser().parse(words, { from: 'user' }), command).not.toThrow()
  }
})

test('the commands of "Rooms that remember" run, one after the other', async () => {
  const hub = await Hub.start({ demo: true })
  try {
    symlinkSync(join(root, 'bin'), hub.file('bin'))
    const secret = readFileSync(hub.file('data/demo-token'), 'utf8').trim()
    const options = hub.with({ env: { PORTHOUSE_TOKEN: secret }, command: 'sh' })
    const [, section = ''] = /^## Rooms that remember\n([\s\S]*?)^## /m.exec(textOf('README.md'))!
    const commands = commandsOf(section)
    expect(commands).toHaveLength(8)
    for (const command of commands) {
      const running = new Running(['-c', `exec ${command}`], options)
      running.process.stdin.end()
      // It listens on until somebody ends it.
      if (command.includes(' listen ')) {
        await running.says('the boiler is hot')
        await running.stop('SIGINT')
      } else expect(await running.ended, command).toMatchObject({ code: 0, stderr: '' })
    }
  } finally {
    expect(await hub.stop()).toMatchObject({ code: 0, stderr: '' })
  }
}, 90_000)
