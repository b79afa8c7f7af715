import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inBrowser } from './browser.ts'
import { eventually } from './eventually.ts'
import { Stage } from './stage.ts'

/** What must not happen in any test: its name, what the page would do, and what is noted. */
const wrongs = [
  ['an inline style', "document.body.setAttribute('style', 'color: red')", /^console: .*inline style/],
  [
    'an inline script',
    "document.body.append(Object.assign(document.createElement('script'), { textContent: '0' }))",
    /^console: .*inline script/,
  ],
  ['an error on the console', "console.error('oh')", /^console: oh/],
  ['a page error', "setTimeout(() => { throw new Error('ah') })", /^page error: Error: ah/],
  ['a promise that nobody waits for', "void Promise.reject(new Error('uh'))", /^page error: Error: uh/],
  ['a resource that is not there', "void fetch('nothing-of-that-name')", /^console: .* 404 .*nothing-of-that-name/],
  ['data of another host', "void fetch('http://127.0.0.1:1/').catch(() => {})", /^console: Connecting to 'http:/],
  ['an image of another host', "new Image().src = 'http://127.0.0.1:1/image.png'", /^console: Loading the image /],
  ['another page', "location.href = 'http://127.0.0.1:1/page'", /^another host was asked: http.*\/page/],
] as const

test('whatever goes wrong on the page is noted, and fails the test', inBrowser, async (t) => {
  const stage = await Stage.start(t, { ids: ['alpha'] })
  const visit = await (await stage.visit()).live()
  assert.deepEqual(visit.problems, [])
  for (const [wrong, script, pattern] of wrongs) {
    await visit.page.evaluate(script)
    await eventually(
      `${wrong} is noted`,
      () => visit.problems,
      (problems) => problems.some((problem) => pattern.test(problem)),
    )
  }
  // It is on its way elsewhere, and no good to others.
  await visit.page.close()
  await assert.rejects(visit.end(t), /what went wrong on the page/)
  visit.problems.length = 0
})
