import { schema } from '../../gateway/config/config.ts'
import { variableOf } from '../../gateway/config/environment.ts'
import { type Endpoint, formatEndpoint } from '../../gateway/config/setting.ts'
import { isTree, KEYS, metaOf } from '../../gateway/config/tree.ts'
import { renderTable } from './table.ts'

const heading = `# Settings

Rendered from [config.ts](../gateway/config/config.ts) by \`make generate\`; edit it there.

Each setting can stand in a config file under its key, in the environment under its variable, and
the common ones on the command line. A flag wins over the environment, the environment over the
file, the file over the default. \`porthouse config\` prints what holds, and where it comes from.
`

/** Defaults that depend on where the gateway runs, or have a name of their own. */
const placed: Record<string, string> = {
  data: '`.porthouse` in a clone, else `~/.local/share/porthouse`',
  features: '`all`',
  databaseUrl: 'the embedded PostgreSQL',
}

/** docs/config.md: a row for each setting, in the order of the schema. */
export function renderConfig(): string {
  const defaults = schema.parse({ data: '.porthouse' })
  const rows = KEYS.map((key) => {
    const { allowed, meaning } = metaOf(key)
    const fallback = placed[key] ?? format(valueAt(defaults, key))
    return [`\`${key}\``, `\`${variableOf(key)}\``, fallback, allowed, meaning]
  })
  return `${heading}\n${renderTable(['Key', 'Variable', 'Default', 'Allowed', 'Meaning'], rows)}`
}

function valueAt(tree: unknown, key: string): unknown {
  return key.split('.').reduce((node, name) => (isTree(node) ? node[name] : undefined), tree)
}

/** A value as the environment spells it. */
function format(value: unknown): string {
  if (value === undefined) return 'none'
  if (Array.isArray(value)) return value.length > 0 ? `\`${value.join(',')}\`` : 'none'
  return `\`${isTree(value) ? formatEndpoint(value as unknown as Endpoint) : value}\``
}
