/**
 * The codecs of Go and C, each as a program that is asked about many packets at once: see
 * clients/go/internal/frames and clients/c/test/frames.c.
 */
import { execFile, spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import type { JsonValue } from '@bufbuild/protobuf'
import { PacketSchema } from '@porthouse/proto/v1/frame'
import { root } from '../../tidy/root.ts'
import { named } from './numbered.ts'

/** The first time the network is asked for Go's libraries. */
export const BUILD_MS = 300_000

/** A packet in both its forms: bytes in hexadecimal and Protobuf JSON. */
export interface PacketForms {
  readonly hex: string
  readonly text: string
}

/** Answers are undefined for what it does not read. */
export interface Codec {
  /** Protobuf JSON of packets. */
  decode(packets: readonly string[]): Promise<(JsonValue | undefined)[]>
  /** Packets as it writes them: Go those that it has read as text, C those that it has as bytes. */
  encode(packets: readonly PacketForms[]): Promise<(string | undefined)[]>
}

const run = promisify(execFile)
const bin = join(root, '.tools/bin')

export async function buildGo(): Promise<Codec> {
  const program = join(bin, 'frames-go')
  await mkdir(bin, { recursive: true })
  const cwd = join(root, 'clients/go')
  await run('go', ['build', '-o', program, './internal/frames'], { cwd })
  return {
    async decode(packets) {
      const answers = await answersOf(
        program,
        packets.map((hex) => `decode ${hex}`),
      )
      return answers.map((answer) => (isError(answer) ? undefined : JSON.parse(answer)))
    },
    async encode(packets) {
      // JSON has line breaks between its parts alone, where they mean nothing.
      const lines = packets.map((each) => `encode ${each.text.replaceAll(/[\r\n]/g, ' ')}`)
      const answers = await answersOf(program, lines)
      return answers.map((answer) => (isError(answer) ? undefined : answer))
    },
  }
}

/** With sanitizers: what they see ends the program, and fails who asked. */
export async function buildC(): Promise<Codec> {
  const [program, views] = [join(bin, 'frames-c'), join(bin, 'frames-c.o')]
  await mkdir(bin, { recursive: true })
  const cwd = join(root, 'clients/c')
  const compile = (...args: string[]) => run('clang', [...C_FLAGS, ...args], { cwd })
  // The library's callback has another name here, since the program has its own around it.
  await compile('-Dporthouse_view_field=porthouse_library_field', '-c', 'src/view.c', '-o', views)
  const generated = globSync(['gen/porthouse/v1/*.c', 'third_party/nanopb/*.c'], { cwd })
  const reader = ['src/frame.c', 'src/read.c']
  await compile('test/frames.c', views, ...reader, ...generated, '-o', program)
  const ask = async (packets: readonly string[], which: 0 | 1) => {
    const answers = await answersOf(program, packets)
    return packets.map((_, i) => answers[2 * i + which] as string)
  }
  return {
    async decode(packets) {
      const answers = await ask(packets, 0)
      return answers.map((answer) => (isError(answer) ? undefined : textOf(answer)))
    },
    async encode(packets) {
      const answers = await ask(
        packets.map(({ hex }) => hex),
        1,
      )
      return answers.map((answer) => (isError(answer) ? undefined : answer))
    },
  }
}

const C_FLAGS = [
  ...['-std=c99', '-O1', '-g', '-Wall', '-Wextra', '-Werror'],
  ...['-fsanitize=address,undefined', '-fno-sanitize-recover'],
  ...['-Iinclude', '-Igen', '-isystem', 'third_party/nanopb'],
]

/** What is no UTF-8 is nothing that is read: the C library hands texts over as they are. */
function textOf(told: string): JsonValue | undefined {
  try {
    return named(PacketSchema, JSON.parse(told))
  } catch (error) {
    if (error instanceof TypeError) return undefined
    throw error
  }
}

function isError(answer: string): boolean {
  return answer.startsWith('error')
}

async function answersOf(program: string, lines: readonly string[]): Promise<string[]> {
  const env = { ...process.env, ASAN_OPTIONS: 'detect_leaks=0:detect_stack_use_after_return=1' }
  const child = spawn(program, { env })
  child.stdin.on('error', () => {}).end(lines.map((line) => `${line}\n`).join(''))
  const [answers, complaints] = await Promise.all([text(child.stdout), text(child.stderr)])
  if (complaints) throw new Error(complaints)
  return answers.split('\n').slice(0, -1)
}
