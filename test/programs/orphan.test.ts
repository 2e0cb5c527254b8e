/** The process of a program that never lets go is gone soon after its gateway was killed (R25). */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { root } from '../tidy/root.ts'

test('a loop does not outlive a gateway that was killed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'porthouse-orphan-'))
  await writeFile(join(folder, 'loop.js'), 'process.stdout.write(String(process.pid)); for (;;);')
  const gateway = `
    import { ProgramProcess } from ${JSON.stringify(join(root, 'gateway/programs/process.ts'))}
    const log = { info: ({ output }) => console.log(output) }
    const options = { folder: ${JSON.stringify(folder)}, memoryMb: 64, lineMax: 1e6, log }
    const one = new ProgramProcess(options, { said() {}, broke() {} })
    one.tell({ type: 'attach', room: 1, address: 'room:a/b', module: 'loop', options: {} })`
  const parent = spawn(process.execPath, ['--input-type=module', '-e', gateway], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const [said] = (await once(parent.stdout, 'data')) as [Buffer]
    const pid = Number(said.toString())
    expect(isThere(pid)).toBe(true)
    parent.kill('SIGKILL')
    while (isThere(pid)) await setTimeout(50)
  } finally {
    parent.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  }
})

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
