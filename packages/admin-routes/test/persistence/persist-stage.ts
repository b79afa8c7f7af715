import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BalancerOptions } from '@fastify-balancer/balancer-core'
import type { TestContext } from 'node:test'
import type { AdminRoutesOptions } from '../../src/index.ts'
import { stage } from '../stage.ts'

/** The backends of the default balancer. */
export const backends = '/balancers/default/backends'

/** One more than the stage begins with. */
export const c = { id: 'c', url: 'http://127.0.0.1:3' }

/** A place for a file, and apps that keep their lists there, one after the other. */
export async function kept(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'persist-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'lists.json')
  const begin = (options: BalancerOptions = {}, admin: AdminRoutesOptions = {}) =>
    stage(t, { balancer: options, admin: { insecure: true, persist: file, ...admin } })
  const saved = async () => JSON.parse(await readFile(file, 'utf8')) as Record<string, any>
  return { folder, file, begin, saved }
}
