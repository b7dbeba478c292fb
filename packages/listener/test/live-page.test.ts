import { readFileSync } from 'node:fs'
import t from 'tap'
import { readLivePage } from '../src/admin/live-page.ts'
import { serve } from '../src/serve.ts'
import type { Server } from '../src/server.ts'
import { Chromium, findChromium } from './support/chromium.ts'
import { EventLog } from './support/event-log.ts'
import { fixtureUrl } from './support/fixture-url.ts'

const path = findChromium()
const skip = path === null ? 'chromium (Debian: chromium) is not installed' : false

/** What would run if any of it got into the page as markup. */
const HOSTILE = '<img src=x onerror="window.attacked=1"><script>window.attacked=1</script>'

t.test('the page brings all that it needs', async (t) => {
  const { html, policy } = readLivePage()
  t.notMatch(html, /(?:src|href)=["']?(?:https?:)?\/\//)
  t.notMatch(html, /@import|url\(|innerHTML|insertAdjacentHTML|document\.write|eval\(/)
  t.notMatch(html, /<[^>]+ on[a-z]+=|<[^>]+ style=/, 'nothing that its policy would stop')
  t.match(policy, /script-src 'sha256-[^']+'; style-src 'sha256-[^']+'/)
  t.notMatch(policy, /unsafe|\*/)
})

t.test('the package has it', async (t) => {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  t.ok((JSON.parse(manifest) as { files: string[] }).files.includes('static'))
})

t.test('in a browser', { skip }, async (t) => {
  const log = new EventLog()
  const server = await serve(fixtureUrl('named-routes.ts'), {
    host: '127.0.0.1',
    port: 0,
    workers: 2,
    adminPort: 0,
    onEvent: log.listener,
  })
  t.teardown(() => server.stop())
  const browser = await Chromium.start(path!)
  t.teardown(() => browser.close())
  await browser.open(server.admin!.url)

  await t.test('it shows each worker and the state of the server', async (t) => {
    await browser.wait(`document.querySelectorAll('#workers tbody tr').length === 2`)
    await browser.wait(`document.getElementById('status').textContent === 'accepting, ready'`)
    t.match(await workerTexts(browser), [/^Worker 1accepting/, /^Worker 2accepting/])
  })

  await t.test('counts go up under requests', async () => {
    for (let index = 0; index < 7; index++) await ask(server, '/as/%2Fcounted')
    await browser.wait(`document.getElementById('tiles').textContent.includes('7 since the start')`)
    await browser.wait(routeCell('/counted', 'route'))
    await browser.wait(`document.querySelectorAll('#plots svg path').length >= 4`)
  })

  await t.test('percentiles show while there are requests', async () => {
    let isShown = false
    const label = `document.querySelectorAll('#plots svg')[1].getAttribute('aria-label')`
    while (!isShown) {
      await ask(server, '/as/%2Fcounted')
      isShown = (await browser.evaluate(`/p50 [0-9.]+ [µm]?s, p90/.test(${label})`)) === true
    }
  })

  await t.test(
    'a worker that dies shows as its next generation, and among the troubles',
    async () => {
      await ask(server, '/exit')
      const died = await log.wait('worker-exited')
      const generation = `document.querySelector('#workers tbody tr:nth-child(${died.workerId}) [data-label=Generation]')`
      await browser.wait(`${generation}.textContent === '2'`)
      await browser.wait(
        `document.getElementById('troubles').textContent.includes('exited (code 3')`,
      )
    },
  )

  await t.test('prevents script injection: routes and errors show as text', async (t) => {
    await ask(server, `/as/${encodeURIComponent(HOSTILE)}`)
    await ask(server, `/fail/${encodeURIComponent(HOSTILE)}`)
    const shown = `document.getElementById('troubles').textContent.includes(${JSON.stringify(HOSTILE)})`
    await browser.wait(shown)
    await browser.wait(routeCell(HOSTILE, 'route'))
    t.equal(await browser.evaluate('window.attacked'), undefined)
    t.equal(await browser.evaluate(`document.querySelectorAll('main img, main script').length`), 0)
  })

  await t.test('at the width of a phone nothing is wider than the screen', async (t) => {
    const screen = { width: 360, height: 740, deviceScaleFactor: 2, mobile: true }
    await browser.send('Emulation.setDeviceMetricsOverride', screen)
    await browser.wait('innerWidth === 360')
    t.equal(await browser.evaluate('document.documentElement.scrollWidth'), 360)
    await browser.send('Emulation.clearDeviceMetricsOverride')
  })

  for (const scheme of ['light', 'dark']) {
    await t.test(`text stands out from what is behind it: ${scheme}`, async (t) => {
      const features = [{ name: 'prefers-color-scheme', value: scheme }]
      await browser.send('Emulation.setEmulatedMedia', { features })
      const isDark = `matchMedia('(prefers-color-scheme: dark)').matches`
      await browser.wait(`${isDark} === ${scheme === 'dark'}`)
      const ratios = (await browser.evaluate(CONTRASTS)) as Record<string, number>
      for (const [name, ratio] of Object.entries(ratios)) t.ok(ratio >= 4.5, `${name}: ${ratio}`)
    })
  }

  await t.test('it says when nobody answers any more', async (t) => {
    const complaints = [...browser.complaints]
    t.strictSame(complaints, [], 'no complaint until then')
    await server.stop()
    await browser.wait(`document.getElementById('lost').hidden === false`)
  })

  const origins = new Set(
    browser.requests.map((url) => (url.startsWith('data:') ? 'data:' : new URL(url).origin)),
  )
  origins.delete('data:')
  t.strictSame([...origins], [server.admin!.url], 'it asked nobody else')
})

/** The ratio of text to background (WCAG 2.2, 1.4.3) for each pair of colours that the page uses. */
const CONTRASTS = `(() => {
  const style = getComputedStyle(document.documentElement)
  const light = (name) => {
    const parts = style.getPropertyValue(name).trim().slice(1).match(/../g).map((hex) => parseInt(hex, 16) / 255)
    const [r, g, b] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const pairs = ['ink page', 'soft page', 'ink card', 'soft card', 'faint card', 'good good-soft', 'warn warn-soft', 'bad bad-soft', 'soft calm-soft', 'bad card', 's1 page']
  return Object.fromEntries(pairs.map((pair) => {
    const [one, two] = pair.split(' ').map((name) => light('--' + name)).sort((a, b) => b - a)
    return [pair, (one + 0.05) / (two + 0.05)]
  }))
})()`

async function ask(server: Server, target: string): Promise<void> {
  const response = await fetch(`${server.url}${target}`, { headers: { connection: 'close' } })
  await response.text()
}

async function workerTexts(browser: Chromium): Promise<unknown> {
  return browser.evaluate(
    `[...document.querySelectorAll('#workers tbody tr')].map((row) => row.textContent)`,
  )
}

/** An expression that is true when a cell of the table of routes has that text. */
function routeCell(text: string, className: string): string {
  const cells = `[...document.querySelectorAll('#routes td.${className}')]`
  return `${cells}.some((cell) => cell.textContent === ${JSON.stringify(text)})`
}
