/** The page of plots: whole by itself, in a browser. */
import { chromium } from 'playwright-core'
import { expect, test } from 'vitest'
import { page } from '../../bench/page.ts'
import type { Run } from '../../bench/record.ts'

const found = { says: 'x <ws>', bound: '≤ 0.8', value: 0.9, state: 'wall' as const }
const run: Run = {
  at: '2026-01-01T00:00:00.000Z',
  minutes: 1,
  quick: false,
  seconds: 5,
  rounds: 3,
  machine: { cores: '2' },
  versions: { Node: 'v24' },
  workloads: [
    {
      id: 'w2',
      title: 'W2 & more',
      kind: 'deliveries',
      peers: {
        porthouse: [1, 1.1, 2].map((cpu) => ({ cpu, rate: 1e5, p99: 1 })),
        ws: [{ cpu: 4, rate: 1e5, p99: Number.POSITIVE_INFINITY }],
      },
    },
  ],
  failed: [],
  verdicts: [
    {
      id: 'G5',
      about: 'rooms of two',
      state: 'wall',
      found: [{ ...found, wall: { says: 'x the floor', value: 0.85, holds: true } }],
    },
  ],
}

test('shows goals and bars, with nothing from elsewhere, in light and dark', async () => {
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
  })
  try {
    const tab = await browser.newPage()
    const asked: string[] = []
    tab.on('request', (request) => asked.push(request.url()))
    await tab.setContent(page(run))
    expect(await tab.locator('#goals').textContent()).toContain('0.900x <ws>')
    expect(await tab.locator('strong').textContent()).toBe('goals met: 0 of 1 (1 walls)')
    expect(await tab.locator('#w2 svg').count()).toBe(3)
    const widths = await tab.locator('#w2 figure:first-of-type rect').evaluateAll((bars) => {
      return bars.map((bar) => bar.getBoundingClientRect().width)
    })
    expect(widths[1]! / widths[0]!).toBeCloseTo(4 / 1.1, 1)
    expect(await tab.locator('#w2 .whisker').count()).toBe(1)
    const background = () => tab.evaluate(() => getComputedStyle(document.body).backgroundColor)
    await tab.emulateMedia({ colorScheme: 'light' })
    const light = await background()
    await tab.emulateMedia({ colorScheme: 'dark' })
    expect(await background()).not.toBe(light)
    expect(asked).toEqual([])
  } finally {
    await browser.close()
  }
})
