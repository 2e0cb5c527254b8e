/** `porthouse operator …`: on the machine that has the data folder. */
import { operatorKey, replaceOperatorKey } from '../admin/credentials/operator-key.ts'
import { print, printJson } from './output.ts'
import { type RunOptions, readSettings } from './settings.ts'
import { folderFailure } from './with-store.ts'

type KeyOptions = Pick<RunOptions, 'config' | 'data'> & {
  readonly rotate?: boolean
  readonly json?: boolean
}

export async function showKey({ rotate, json, ...options }: KeyOptions): Promise<void> {
  const { data } = readSettings(options).config
  const secret = await (rotate ? replaceOperatorKey(data) : operatorKey(data)).catch((error) => {
    throw folderFailure(error) ?? error
  })
  if (json) return printJson({ secret })
  print(secret)
}
