/** What is refused for what one of its fields holds. */
import { Code } from '@porthouse/proto/v1/code'
import { Refusal } from './codes.ts'

export interface Violation {
  /** Path from the request, for instance `room.config.blocks[2].limits.sockets`. */
  readonly field: string
  readonly description: string
}

/** A Refusal ARGUMENT_INVALID that names each field that is wrong. */
export class Violations extends Refusal {
  readonly violations: readonly Violation[]

  constructor(violations: readonly Violation[]) {
    super(Code.ARGUMENT_INVALID, violations.map(textOf).join('; '))
    this.violations = violations
  }
}

export function invalid(field: string, description: string): Violations {
  return new Violations([{ field, description }])
}

function textOf({ field, description }: Violation): string {
  return `${field}: ${description}`
}
