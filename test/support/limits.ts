/** The default limits, as a gateway has them. */
import { schema } from '../../gateway/config/config.ts'

export const limits = schema.parse({ data: '/nowhere' }).limits
