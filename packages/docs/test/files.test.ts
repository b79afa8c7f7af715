import assert from 'node:assert/strict'
import { basename } from 'node:path'
import { after, describe, test } from 'node:test'
import { readConfiguration } from '../../fastify-balancer/src/configuration/reading.ts'
import { buildServer } from '../../fastify-balancer/src/server/running-server.ts'
import { localhost } from '../../../test/support/certificates.ts'
import { blocksIn, ProgramFolder } from '../../../test/support/documented-programs.ts'
import { written } from './pages.ts'

/** What the files on the pages name. */
const named: Readonly<Record<string, string>> = {
  'admin-token': 'a-token-that-is-long-enough',
  'probe-authorization': 'bearer of good news',
  'ca.pem': localhost.cert,
  'site.cert.pem': localhost.cert,
  'site.key.pem': localhost.key,
}

const files = written.flatMap(({ file, text }) =>
  blocksIn(text)
    .filter(({ language, code }) => language === 'yaml' && /^balancers:/m.test(code))
    .map(({ title, code }) => ({ name: `${basename(file, '.md')}: ${title}`, code })),
)

describe('the files of the documentation can be used, as `check` finds', () => {
  const folder = new ProgramFolder('test/node_modules')
  after(() => folder.remove())
  for (const [name, text] of Object.entries(named)) folder.write(name, text)

  assert.ok(files.length > 8)
  for (const [index, { name, code }] of files.entries())
    test(name, async () => {
      const path = folder.write(`${index}.yaml`, code)
      const { faults, configuration } = await readConfiguration(path, { STICKY_SECRET: 'sixteen letters or more' })
      assert.deepEqual(faults, [])
      // What only shows when all is put together; nothing listens.
      const server = await buildServer({ ...configuration!, log: { form: 'off' } })
      await server.close()
    })
})
