/** Go's tools, run in the module of the Go client. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { root } from '../../tidy/root.ts'

const run = promisify(execFile)
const bin = join(root, '.tools/bin')

export const module = join(root, 'clients/go')
/** With the tests that need a real gateway: see clients/go/internal/hub. */
export const ALL = ['-tags', 'gateway', './...']
/** The first time the network is asked for libraries, and all of them are built. */
export const GO_MS = 300_000

const STATICCHECK = '0.8.2'

/** What the tool says. Rejects with it where the tool fails, and with the want of the tool. */
export async function go(args: readonly string[], env: Record<string, string> = {}) {
  return tool('go', args, env)
}

export const gofmt = (...args: string[]) => tool('gofmt', args)

/** Installs staticcheck, unless this version is there already, and runs it. */
export async function staticcheck(...args: string[]): Promise<string> {
  const file = join(bin, 'staticcheck')
  const version = await run(file, ['-version']).catch(() => ({ stdout: '' }))
  if (!version.stdout.includes(STATICCHECK)) {
    await go(['install', `honnef.co/go/tools/cmd/staticcheck@v${STATICCHECK}`], { GOBIN: bin })
  }
  return tool(file, args)
}

async function tool(file: string, args: readonly string[], env: Record<string, string> = {}) {
  try {
    const { stdout } = await run(file, args, { cwd: module, env: { ...process.env, ...env } })
    return stdout
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code: unknown } & Record<string, string>
    const isMissing = code === 'ENOENT'
    throw new Error(isMissing ? 'Go 1.26 or newer is needed: see https://go.dev' : stdout + stderr)
  }
}
