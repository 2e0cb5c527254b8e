/** Keys and signatures that OpenSSH itself makes, in a folder that goes with the test. */
import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface KeyPair {
  /** Path of the private key. */
  readonly file: string
  /** The line of its .pub file. */
  readonly line: string
}

export class SshKeygen implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'porthouse-ssh-'))

  /** `kind` as `ssh-keygen -t` takes it. */
  make(kind: string, ...options: string[]): KeyPair {
    const file = join(this.folder, randomUUID())
    this.run('-q', '-t', kind, '-N', '', '-C', 'anna@desk', '-f', file, ...options)
    return { file, line: readFileSync(`${file}.pub`, 'utf8') }
  }

  /** An armoured SSHSIG. */
  sign({ file }: KeyPair, message: Uint8Array, namespace = 'porthouse', hash = 'sha512'): Buffer {
    const options = ['-Y', 'sign', '-q', '-n', namespace, '-O', `hashalg=${hash}`, '-f', file]
    return execFileSync('ssh-keygen', options, { input: message, stdio: ['pipe', 'pipe', 'pipe'] })
  }

  run(...options: string[]): void {
    execFileSync('ssh-keygen', options, { stdio: 'pipe' })
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true })
  }
}
