/** deploy/grafana/porthouse.json: a dashboard for Grafana, from a short description. */

/** A line of a graph: PromQL, of the gateways that are chosen, and how it is called. */
type Line = readonly [expression: string, legend: string]

interface Panel {
  readonly title: string
  /** As Grafana knows it: `short`, `ops`, `Bps`, `bytes`, `s`, `percentunit`. */
  readonly unit: string
  readonly lines: readonly Line[]
  readonly about?: string
}

interface Row {
  readonly title: string
  readonly panels: readonly Panel[]
}

/** Of the gateways that are chosen. */
const OF = 'instance=~"$instance"'

const rate = (metric: string, by: string, more = '') =>
  `sum by (${by}) (rate(${metric}{${OF}${more}}[$__rate_interval]))`
const sum = (metric: string, by: string, more = '') => `sum by (${by}) (${metric}{${OF}${more}})`
const quantile = (q: number, metric: string, by = 'le') =>
  `histogram_quantile(${q}, ${rate(`${metric}_bucket`, by)})`

export const ROWS: readonly Row[] = [
  {
    title: 'Sockets and messages',
    panels: [
      {
        title: 'Sockets',
        unit: 'short',
        lines: [
          [sum('porthouse_sockets', 'medium, state'), '{{medium}} {{state}}'],
          [sum('porthouse_connections', 'instance'), 'connections of {{instance}}'],
        ],
      },
      {
        title: 'Messages from sockets',
        unit: 'ops',
        lines: [[rate('porthouse_messages_received_total', 'medium'), '{{medium}}']],
      },
      {
        title: 'Messages to sockets',
        unit: 'ops',
        lines: [[rate('porthouse_messages_sent_total', 'medium'), '{{medium}}']],
      },
      {
        title: 'Bytes',
        unit: 'Bps',
        lines: [
          [rate('porthouse_received_bytes_total', 'medium'), 'from {{medium}}'],
          [rate('porthouse_sent_bytes_total', 'medium'), 'to {{medium}}'],
        ],
      },
      {
        title: 'Rooms',
        unit: 'short',
        lines: [
          [sum('porthouse_rooms', 'instance'), 'rooms of {{instance}}'],
          [sum('porthouse_memberships', 'instance'), 'memberships of {{instance}}'],
        ],
      },
      {
        title: 'Receipts',
        unit: 'ops',
        lines: [[rate('porthouse_receipts_total', 'status'), '{{status}}']],
      },
    ],
  },
  {
    title: 'Who is kept out, and what is refused',
    panels: [
      {
        title: 'Logins',
        unit: 'ops',
        lines: [[rate('porthouse_logins_total', 'acceptor, outcome'), '{{acceptor}} {{outcome}}']],
      },
      {
        title: 'Kept out by locks',
        unit: 'ops',
        lines: [[rate('porthouse_locked_out_total', 'code'), '{{code}}']],
      },
      {
        title: 'Refusals',
        unit: 'ops',
        lines: [[rate('porthouse_refusals_total', 'of, code'), '{{of}} {{code}}']],
      },
    ],
  },
  {
    title: 'Sockets that do not keep up',
    panels: [
      {
        title: 'By what they are stuck in',
        unit: 'short',
        lines: [[sum('porthouse_slow_sockets', 'phase'), '{{phase}}']],
      },
      {
        title: 'Bytes that wait',
        unit: 'bytes',
        lines: [[sum('porthouse_slow_bytes', 'phase'), '{{phase}}']],
      },
      {
        title: 'Messages that gave way',
        unit: 'ops',
        about: 'As their rooms ask for; sockets that are dropped stand among the refusals.',
        lines: [[rate('porthouse_messages_lost_total', 'policy'), '{{policy}}']],
      },
    ],
  },
  {
    title: 'The store',
    panels: [
      {
        title: 'Commits of messages',
        unit: 's',
        lines: [
          [quantile(0.5, 'porthouse_history_commit_seconds'), 'median'],
          [quantile(0.99, 'porthouse_history_commit_seconds'), '99 of 100'],
        ],
      },
      {
        title: 'Messages in one commit',
        unit: 'short',
        lines: [[quantile(0.5, 'porthouse_history_batch_messages'), 'median']],
      },
      {
        title: 'What waits for it',
        unit: 'bytes',
        lines: [
          [sum('porthouse_history_queue_bytes', 'instance'), 'histories of {{instance}}'],
          [sum('porthouse_retained_queue_bytes', 'instance'), 'last values of {{instance}}'],
          [sum('porthouse_mqtt_queue_bytes', 'instance'), 'MQTT of {{instance}}'],
        ],
      },
      {
        title: 'Questions',
        unit: 'ops',
        lines: [[rate('porthouse_store_calls_total', 'method'), '{{method}}']],
      },
      {
        title: 'Failures',
        unit: 'ops',
        lines: [
          [
            rate('porthouse_store_calls_total', 'method, outcome', ',outcome!="ok"'),
            '{{method}} {{outcome}}',
          ],
        ],
      },
      {
        title: 'Answers, 99 of 100',
        unit: 's',
        lines: [[quantile(0.99, 'porthouse_store_seconds', 'method, le'), '{{method}}']],
      },
    ],
  },
  {
    title: 'MQTT, programs, administration',
    panels: [
      {
        title: 'Sessions of MQTT',
        unit: 'short',
        lines: [
          [sum('porthouse_mqtt_sessions', 'instance'), 'kept by {{instance}}'],
          [sum('porthouse_mqtt_inflight_messages', 'instance'), 'unacknowledged at {{instance}}'],
        ],
      },
      {
        title: 'Programs',
        unit: 'short',
        lines: [
          [sum('porthouse_program_processes', 'instance'), 'processes of {{instance}}'],
          [sum('porthouse_program_queue_messages', 'instance'), 'waiting at {{instance}}'],
          [rate('porthouse_program_failures_total', 'instance'), 'failures a second, {{instance}}'],
        ],
      },
      {
        title: 'Administration',
        unit: 'ops',
        lines: [[rate('porthouse_admin_requests_total', 'method, code'), '{{method}} {{code}}']],
      },
      {
        title: 'Administration, 99 of 100',
        unit: 's',
        lines: [[quantile(0.99, 'porthouse_admin_seconds', 'method, le'), '{{method}}']],
      },
    ],
  },
  {
    title: 'The process',
    panels: [
      {
        title: 'Event loop, 99 of 100',
        unit: 's',
        lines: [[sum('nodejs_eventloop_lag_p99_seconds', 'instance'), '{{instance}}']],
      },
      {
        title: 'CPU',
        unit: 'percentunit',
        lines: [[rate('process_cpu_seconds_total', 'instance'), '{{instance}}']],
      },
      {
        title: 'Memory',
        unit: 'bytes',
        lines: [
          [sum('process_resident_memory_bytes', 'instance'), 'of {{instance}}'],
          [sum('nodejs_heap_size_used_bytes', 'instance'), 'heap of {{instance}}'],
          [sum('porthouse_window_bytes', 'instance'), 'windows of {{instance}}'],
          [sum('porthouse_own_channel_bytes', 'instance'), 'own channels of {{instance}}'],
        ],
      },
      {
        title: 'Garbage collection',
        unit: 'percentunit',
        lines: [[rate('nodejs_gc_duration_seconds_sum', 'kind'), '{{kind}}']],
      },
      {
        title: 'Open files',
        unit: 'short',
        lines: [[sum('process_open_fds', 'instance'), '{{instance}}']],
      },
      {
        title: 'Versions and settings',
        unit: 'short',
        lines: [
          [sum('porthouse_build_info', 'version'), 'version {{version}}'],
          [sum('porthouse_config_info', 'digest'), 'settings {{digest}}'],
        ],
      },
    ],
  },
]

/** Grafana's grid is as wide as this; three panels stand side by side. */
const WIDTH = 8
const HEIGHT = 8
const COLUMNS = 3

const DATASOURCE = { type: 'prometheus', uid: '$datasource' }

export function renderDashboard(): string {
  const panels: object[] = []
  let y = 0
  for (const row of ROWS) {
    const id = panels.length + 1
    panels.push({ id, type: 'row', title: row.title, gridPos: { x: 0, y: y++, w: 24, h: 1 } })
    for (const [i, panel] of row.panels.entries()) {
      const top = y + Math.floor(i / COLUMNS) * HEIGHT
      const place = { x: (i % COLUMNS) * WIDTH, y: top, w: WIDTH, h: HEIGHT }
      panels.push(graph(panels.length + 1, panel, place))
    }
    y += Math.ceil(row.panels.length / COLUMNS) * HEIGHT
  }
  return `${JSON.stringify({ ...dashboard(), panels }, undefined, 2)}\n`
}

function graph(id: number, { title, unit, lines, about }: Panel, gridPos: object): object {
  const targets = lines.map(([expr, legendFormat], i) => {
    return { refId: String.fromCharCode(65 + i), datasource: DATASOURCE, expr, legendFormat }
  })
  return {
    id,
    type: 'timeseries',
    title,
    ...(about && { description: about }),
    datasource: DATASOURCE,
    gridPos,
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    options: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi' } },
    targets,
  }
}

function dashboard(): object {
  const query = 'label_values(porthouse_build_info, instance)'
  return {
    uid: 'porthouse',
    title: 'porthouse',
    tags: ['porthouse'],
    schemaVersion: 39,
    editable: true,
    refresh: '30s',
    time: { from: 'now-1h', to: 'now' },
    templating: {
      list: [
        { name: 'datasource', type: 'datasource', query: 'prometheus' },
        {
          name: 'instance',
          type: 'query',
          datasource: DATASOURCE,
          query: { query, refId: 'instances' },
          refresh: 2,
          multi: true,
          includeAll: true,
          allValue: '.*',
        },
      ],
    },
  }
}
