import { FAMILIES, LABELS } from '../../gateway/observe/metrics/families.ts'
import { processPage } from '../../gateway/observe/metrics/process.ts'
import { renderTable } from './table.ts'

const heading = `# Metrics

Rendered from [observe/metrics](../gateway/observe/metrics/families.ts) by \`make generate\`; edit
them there.

\`GET /metrics\` answers in the text format of Prometheus, where the [feature](config.md)
\`metrics\` is on. It is there twice: on the port of HTTP for the operator, with his key as
\`Authorization: Bearer KEY\`, and for anybody on a listener of its own, once \`metrics.listen\`
says where. [deploy/prometheus](../deploy/prometheus/README.md) has a scrape config for both,
recording and alerting rules, and a dashboard for Grafana.

A metric is read when it is scraped: what is counted on the way of a message is a plain number, and
a message costs no more for being counted. A label is never anybody's name, but of a table of ours:
however many clients and rooms there are, there are as many series (threat L11). Of histograms there
are \`_bucket\`, \`_sum\` and \`_count\`. Counters begin at 0 with the process.
`

const ofProcess = `## Of the process

As [prom-client](https://github.com/siimon/prom-client) has them, under the names that dashboards
for Node.js know. What of the event loop is a maximum or a quantile is that since the scrape before.
`

/** docs/metrics.md: a row for each metric, in the order of their table. */
export function renderMetrics(): string {
  const own = FAMILIES.map(({ name, type, labels = [], help }) => [
    `\`${name}\``,
    type,
    labels.map((label) => `\`${label}\``).join(', '),
    help,
  ])
  const labels = Object.entries(LABELS).map(([label, values]) => [`\`${label}\``, values])
  const process = processPage()
    .getMetricsAsArray()
    .map(({ name, help }) => [`\`${name}\``, help])
  return [
    heading,
    '## Of the gateway\n',
    renderTable(['Name', 'Type', 'Labels', 'Meaning'], own),
    '## Labels\n',
    renderTable(['Label', 'Values'], labels),
    ofProcess,
    renderTable(['Name', 'Meaning'], process),
  ].join('\n')
}
