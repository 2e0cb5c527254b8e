/** `porthouse offender …`: wrong answers to the teleprinter, and their forgiveness (R17). */
import type { Offence } from '../store/store.ts'
import { usage } from './failure.ts'
import { harmless, print, printJson, printTable } from './output.ts'
import { missing, type StoreOptions, withStore } from './with-store.ts'

export async function listOffenders(options: StoreOptions): Promise<void> {
  const offences = await withStore(options, (store) => store.offences.list())
  if (options.json) return printJson(offences.map(forScripts))
  printTable(
    ['subject', 'times', 'score', 'last'],
    offences.map(({ subject, count, score, at }) => [
      // A claimed identity is what a stranger typed.
      harmless(subject),
      String(count),
      score.toFixed(2),
      at.toISOString(),
    ]),
  )
}

export async function clearOffenders(
  subject: string | undefined,
  options: StoreOptions & { readonly all?: boolean },
): Promise<void> {
  if ((subject === undefined) === (options.all !== true)) {
    throw usage('say whom to forgive: SUBJECT as porthouse offender list has it, or --all')
  }
  if (subject !== undefined && !/^(address|identity):./s.test(subject)) {
    throw usage(`${harmless(subject)} is not a subject; one starts with address: or identity:`)
  }
  const cleared = await withStore(options, (store) =>
    store.offences.clear(subject === undefined ? undefined : { subject }),
  )
  if (subject !== undefined && cleared === 0) {
    throw missing(`offender ${harmless(subject)}`, 'porthouse offender list shows those that are')
  }
  if (options.json) return printJson({ cleared })
  print(subject === undefined ? `all ${cleared} are forgiven` : `${harmless(subject)} is forgiven`)
}

function forScripts({ subject, count, score, at }: Offence) {
  return { subject, count, score, at: at.toISOString() }
}
