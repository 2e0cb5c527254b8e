/** Configs that the tests of the admin API give to rooms. */
import { fromJson, type JsonObject } from '@bufbuild/protobuf'
import { type Config, ConfigSchema } from '@porthouse/proto/room/v1/config'

/** Blocks as in Protobuf JSON. */
export function configOf(...blocks: JsonObject[]): Config {
  return fromJson(ConfigSchema, { blocks })
}

/** A lock with a secret among its options. */
export const WEBHOOK = {
  access: {
    flow: {
      lock: {
        acceptor: 'webhook',
        options: {
          url: 'https://door.example/decide',
          secret: `whsec_${'c2VjcmV0'.repeat(5)}`,
        },
      },
    },
  },
}

/** What a later version may have written. */
export const LATER = '{"blocks": [{"newLock": {}}]}'
