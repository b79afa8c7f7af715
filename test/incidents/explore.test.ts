import { test } from 'node:test'
import { writeFileSync, mkdirSync } from 'node:fs'
import { incidents, hold } from './incidents.ts'
import { Stage } from './stage.ts'
import { ask } from '../support/ask.ts'
import { inBrowser } from '../../packages/dashboard/test/browser/browser.ts'
import { visit } from '../../packages/dashboard/test/browser/visit.ts'

const out = '/tmp/incidents-out'
mkdirSync(out, { recursive: true })
for (const { name, cause, options = {} } of incidents)
  test(name, async (t) => {
    const s = performance.now()
    const stage = await Stage.start(t, 70_000, options)
    await stage.pass(10)
    await cause(stage)
    hold()
    const texts: string[] = [`seen ${JSON.stringify(stage.seen)} ${Math.round(performance.now() - s)} ms`]
    const b = stage.log.all.filter((l) => !('outcome' in l && 'attempts' in l))
    texts.push('LOG', ...b.map((l) => `${l['level']} ${l.msg} ${l['change'] ? JSON.stringify(l['change']) : ''}`))
    const seen = new Map<string, number>()
    for (const l of stage.log.exchanges) {
      const k = `${l['level']} ${(l.msg as string).replace(/[\d.]+ ms/g, 'N ms')} failed=${l['failed']} ${l.status} ${l.outcome} ${JSON.stringify(l.attempts.map((a) => [a.backend, a.outcome, (a as any).status]))}`
      seen.set(k, (seen.get(k) ?? 0) + 1)
    }
    texts.push('REQUESTS', ...[...seen].map(([k, n]) => `${n} × ${k}`))
    texts.push('API', JSON.stringify(JSON.parse((await stage.order('GET', '/balancers/shop')).body), null, 1))
    texts.push('BALANCERS', JSON.stringify(JSON.parse((await stage.order('GET', '/balancers')).body), null, 1))
    texts.push('FAILURES', (await stage.order('GET', '/balancers/shop/failures')).body.slice(0, 1500))
    texts.push('HISTORY', (await stage.order('GET', '/balancers/shop/history?range=5m')).body.slice(0, 3000))
    texts.push(
      'METRICS',
      (await ask(`${stage.url}/metrics`)).body
        .split('\n')
        .filter((l) => l && !l.startsWith('#') && !l.includes('_bucket') && !/ 0$/.test(l))
        .join('\n'),
    )
    if (process.env['PAGE']) {
      stage.time.end()
      const v = await (await visit(stage.url, { still: true })).live()
      await v.page.waitForTimeout(1500)
      texts.push('PAGE', await v.page.title(), await v.page.locator('body').innerText())
      for (const width of [1280, 768, 400]) {
        await v.page.setViewportSize({ width, height: 900 })
        await v.page.waitForTimeout(300)
        await v.page.screenshot({ path: `${out}/${name.replaceAll(' ', '-')}-${width}.png`, fullPage: true })
      }
      texts.push(...v.problems)
      await v.page.close()
    }
    writeFileSync(`${out}/${name.replaceAll(' ', '-')}.txt`, texts.join('\n'))
    t.diagnostic(`${Math.round(performance.now() - s)} ms`)
  })
