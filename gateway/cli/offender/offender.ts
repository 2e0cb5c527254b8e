/** `porthouse offender …`: wrong answers to the teleprinter, and their forgiveness (R17). */
import { type Offender, OffenderService } from '@porthouse/proto/admin/v1/offender_service'
import { usage } from '../failure.ts'
import { harmless, print, printJson, printTable } from '../output.ts'
import { ALL, parentResource, timeOf } from '../resource.ts'
import { type AdminOptions, everyOf, withAdmin } from '../with-admin.ts'

interface Options extends AdminOptions {
  readonly account?: string
}

export async function listOffenders(options: Options): Promise<void> {
  const parent = parentResource(options.account ?? ALL)
  const offenders = await withAdmin(options, (admin) =>
    everyOf(
      (page) => admin(OffenderService).listOffenders({ parent, ...page }),
      (page) => page.offenders,
    ),
  )
  const rows = offenders.map(forScripts)
  if (options.json) return printJson(rows)
  printTable(
    ['subject', 'times', 'score', 'last'],
    rows.map(({ subject, count, score, at }) => [
      // A claimed identity is what a stranger typed.
      harmless(subject),
      String(count),
      score.toFixed(2),
      at,
    ]),
  )
}

export async function clearOffenders(
  subject: string | undefined,
  options: Options & { readonly all?: boolean },
): Promise<void> {
  if ((subject === undefined) === (options.all !== true)) {
    throw usage('say whom to forgive: SUBJECT as porthouse offender list has it, or --all')
  }
  if (subject !== undefined && !/^(address|identity):./s.test(subject)) {
    throw usage(`${harmless(subject)} is not a subject; one starts with address: or identity:`)
  }
  const parent = parentResource(options.account ?? ALL)
  const whom = subject === undefined ? { all: true } : { subject }
  const { cleared } = await withAdmin(options, (admin) =>
    admin(OffenderService).clearOffenders({ parent, ...whom }),
  )
  if (options.json) return printJson({ cleared })
  print(subject === undefined ? `all ${cleared} are forgiven` : `${harmless(subject)} is forgiven`)
}

function forScripts({ subject, count, score, lastTime }: Offender) {
  return { subject, count: Number(count), score, at: timeOf(lastTime!) }
}
