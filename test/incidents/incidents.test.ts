import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inBrowser } from '../../packages/dashboard/test/browser/browser.ts'
import { ask } from '../support/ask.ts'
import { assertAgreement } from './agreement.ts'
import { assertOnPage } from './incident-page.ts'
import { flapping } from './flapping.ts'
import { lasts } from './incident.ts'
import { orders } from './orders.ts'
import { sickBackends } from './sick-backends.ts'
import { sickFleets } from './sick-fleets.ts'
import { Stage } from './stage.ts'
import { among, eventsOf, linesOf, requestsOf, valuesOf } from './told.ts'
import { tooMuchLoad } from './too-much-load.ts'

/** All is well for so long (s) before. */
const well = 10

for (const { name, stage: options, cause, seen, api, log, metrics, page } of [
  ...sickBackends,
  flapping,
  ...sickFleets,
  ...orders,
  ...tooMuchLoad,
])
  test(name, async (t) => {
    const stage = await Stage.start(t, 1000 * (well + lasts), options?.())
    await stage.pass(well)
    await cause(stage)

    await t.test('clients see it, and everything agrees with what they saw', async () => {
      assert.deepEqual(stage.seen, seen)
      await assertAgreement(stage)
    })

    await t.test('one call of the API explains it', async () => {
      if (api.tells !== undefined) {
        const { body } = await stage.order('GET', api.path)
        assert.partialDeepStrictEqual(JSON.parse(body), api.tells)
      }
      if (api.events !== undefined) {
        const { found, wanted } = among(await eventsOf(stage, api.path, api.events.length), api.events)
        assert.deepEqual(found, wanted)
      }
    })

    await t.test('the log alone explains it', () => {
      const { found, wanted } = among(linesOf(stage), log.lines)
      assert.deepEqual(found, wanted, linesOf(stage).join('\n'))
      assert.partialDeepStrictEqual(requestsOf(stage), log.requests ?? {})
    })

    await t.test('metrics alone explain it', async () => {
      const values = valuesOf((await ask(`${stage.url}/metrics`)).body)
      assert.deepEqual(Object.fromEntries(Object.keys(metrics).map((one) => [one, values[one]])), metrics)
    })

    await t.test('the page, opened now, explains it', inBrowser, async (of) => {
      await assertOnPage(of, stage, name, page)
    })
  })
