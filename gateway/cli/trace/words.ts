/** Words of --trace that frames of several kinds share. */
import type { Code } from '@porthouse/proto/v1/code'
import { codeInfo } from '../../protocol/codes.ts'

/** Stands for what is secret. */
export const HIDDEN = '***'

/** What a later version may have brought. */
export function unknownAs(what: string): string[] {
  return [`${what} of a kind that is not known here`]
}

/** The name of a number in an enum; the number itself, where it is a later one. */
export function wordOf(words: Readonly<Record<string, number>>, number: number): string {
  return Object.keys(words).find((word) => words[word] === number) ?? `${number}`
}

/** Empty where there is none. */
export function nameOf(code: Code): string {
  return code === 0 ? '' : codeInfo(code).name
}

export function positionPart(sequence: bigint | undefined): string {
  return sequence ? `position ${sequence}` : ''
}

export function routePart(route: number): string {
  return route === 0 ? '' : `route ${route}`
}

/** How many of them a page has. */
export function pageParts(count: number, more: boolean): string[] {
  return [`${count}`, more ? 'and more' : '']
}

/** Where a page begins. */
export function afterPart(after: string): string {
  return after && `after ${after}`
}
