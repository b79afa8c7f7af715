import type { FamilyOptions } from './family.ts'
import { PerBalancer } from './per-balancer.ts'
import type { Sources } from './sources.ts'

/** The lists of backends of balancers, with the label `balancer`. */
export function listFamilies(sources: Sources): readonly FamilyOptions[] {
  const per = new PerBalancer(sources)
  return [
    per.single('gauge max', 'fastify_balancer_backends', 'Backends in the list', ({ set }) => set.all.length),
    per.single(
      'gauge min',
      'fastify_balancer_backends_available',
      'Backends without a veto: healthy, and neither draining nor in maintenance',
      ({ set }) => set.all.reduce((sum, { available }) => sum + Number(available), 0),
    ),
    per.single(
      'gauge min',
      'fastify_balancer_backends_eligible',
      'Backends that may be picked now: the healthy ones of the priority in use; in panic mode, unhealthy ones too',
      ({ set }) => set.available.length,
    ),
    per.single(
      'gauge max',
      'fastify_balancer_panic',
      '1 in panic mode: too few healthy backends, so health is ignored',
      ({ set }) => Number(set.panicking),
    ),
    per.single('gauge min', 'fastify_balancer_revision', 'Revision of the list of backends', ({ set }) => set.revision),
    per.several(
      'counter',
      'fastify_balancer_changes_refused_total',
      'Changes that the admin API has refused, or could not save (507), by status',
      function* refused(balancer) {
        for (const [status, value] of sources.refusedOf(balancer).byStatus) yield [{ status: String(status) }, value]
      },
    ),
  ]
}
