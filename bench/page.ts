/** A run as one page: goals, and plots of each workload. No scripts, nothing from elsewhere. */
import { count, type Found, type Verdict } from './judge.ts'
import { kinds } from './kinds.ts'
import { bars, escaped } from './plot.ts'
import { isNoisy, type Measured, noiseOf, type Run, summaryOf } from './record.ts'
import { rounded } from './report.ts'

const style = `
:root { color-scheme: light dark; --ink: #1c2430; --dim: #5c6773; --line: #d5dae0; --paper: #fff;
  --own: #1f6feb; --peer: #9aa5b1; --met: #1a7f37; --wall: #9a6700; --missed: #cf222e }
@media (prefers-color-scheme: dark) { :root { --ink: #e3e8ee; --dim: #96a1ad; --line: #38424d;
  --paper: #12161b; --own: #58a6ff; --peer: #66717d; --met: #3fb950; --wall: #d29922;
  --missed: #f85149 } }
body { background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif;
  margin: 2rem auto; max-width: 70rem; padding: 0 1rem }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { border-bottom: 1px solid var(--line); padding: .2rem .8rem .2rem 0; text-align: left;
  vertical-align: top }
.met { color: var(--met) } .wall { color: var(--wall) } .missed { color: var(--missed) }
.dim, .noisy { color: var(--dim) } .noisy { font-style: italic }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem } td:nth-child(5) { white-space: nowrap }
.plots { display: flex; flex-wrap: wrap; gap: 1.5rem } figure { margin: 0 }
svg { display: block; font-size: 13px } svg text { fill: var(--ink) }
svg .peer { fill: var(--peer) } svg .own { fill: var(--own) }
svg .floor { fill: none; stroke: var(--peer); stroke-dasharray: 3 }
svg .whisker { stroke: var(--ink); stroke-width: 1.5 }
`

export function page(run: Run): string {
  const { at, minutes, quick, seconds, rounds, failed, workloads, verdicts } = run
  const { legs, noisy } = noiseOf(workloads)
  const regime = `${rounds} rounds of ${seconds} s a leg${quick ? ', a short run' : ''}`
  const facts = {
    ...run.machine,
    run: `${at}, ${minutes.toFixed(1)} minutes, ${regime}`,
    noise: rounds > 1 ? `${noisy} of ${legs} legs too noisy` : 'one round: not known',
    'legs that failed': failed.length > 0 ? failed.join('; ') : 'none',
    ...run.versions,
  }
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>porthouse: performance</title><style>${style}</style></head>
<body>
<h1>porthouse: performance</h1>
<p><strong>${count(verdicts)}</strong>, by medians of all rounds</p>
<table id="goals">${verdicts.flatMap(goal).join('\n')}</table>
${workloads.map(section).join('\n')}
<h2>Machine and versions</h2>
<table>${Object.entries(facts).map(fact).join('\n')}</table>
</body>
</html>
`
}

function fact([name, value]: [string, string]): string {
  return `<tr><th>${escaped(name)}</th><td>${escaped(value)}</td></tr>`
}

/** A row a bound. */
function goal({ id, about, state, found }: Verdict): string[] {
  return found.map((each, n) => {
    const head = n > 0 ? ['', '', ''] : [id, escaped(about), `<b class="${state}">${state}</b>`]
    const cells = [...head, ...bound(each)].map((cell) => `<td>${cell}</td>`)
    return `<tr>${cells.join('')}</tr>`
  })
}

function bound({ says, bound, value, state, wall }: Found): string[] {
  const figure = `<span class="${state}">${rounded(value, 3)}</span>${escaped(says)}`
  const beside = wall ? `${rounded(wall.value, 3)}${escaped(wall.says)}` : ''
  return [figure, escaped(bound), `<span class="dim">${beside}</span>`]
}

function section({ id, title, kind, peers }: Measured): string {
  const drawn = kinds[kind].columns.filter((column) => column.drawn)
  const plots = drawn.map(({ head, figure, digits }) => {
    const rows = Object.entries(peers).map(([peer, rounds]) => {
      return { peer, ...summaryOf(rounds, figure) }
    })
    return `<figure><figcaption>${escaped(head)}</figcaption>${bars(rows, digits)}</figure>`
  })
  const loud = Object.entries(peers)
    .filter(([, rounds]) => isNoisy(summaryOf(rounds, drawn[0]!.figure)))
    .map(([peer]) => peer)
  const note = loud.length > 0 ? `<p class="noisy">too noisy: ${escaped(loud.join(', '))}</p>` : ''
  return `<section id="${id}"><h2>${escaped(title)}</h2>${note}
<div class="plots">${plots.join('\n')}</div></section>`
}
