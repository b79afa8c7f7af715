import type { Balancer, ChangeOptions, PreviewedBackend } from '@fastify-balancer/balancer-core'
import { withoutSecrets } from '@fastify-balancer/option-schema'
import type { Static } from '@sinclair/typebox'
import type { FastifyError } from 'fastify'
import { BadRequestError, toldFaults } from '../errors.ts'
import type { PreviewView } from '../schemas/views.ts'
import type { WantedBackend } from '../schemas/wanted.ts'

/** The list that a client asks for. */
export type Wanted = readonly (string | WantedBackend)[]

/** What a list would change, and all its faults. */
export type Preview = Static<typeof PreviewView>

function copied({ zone, tags, ...rest }: PreviewedBackend) {
  return { ...rest, ...(zone !== undefined && { zone }), tags: [...tags] }
}

/** The balancer's own preview of a list. */
export async function previewOf(balancer: Balancer, wanted: Wanted): Promise<Preview> {
  const { added, removed, changed, faults } = await balancer.previewInSlices(wanted)
  return {
    added: [...added],
    removed: [...removed],
    changed: changed.map(({ id, from, to }) => ({ id, from: copied(from), to: copied(to) })),
    faults: [...faults],
  }
}

/** Why the balancer would refuse a change after probing the new backends. */
export async function refusalsOf(
  balancer: Balancer,
  wanted: Wanted,
  condition: Pick<ChangeOptions, 'force' | 'revision'>,
): Promise<readonly string[]> {
  try {
    await balancer.setBackends(wanted, { ...condition, dryRun: true })
    return []
  } catch (error) {
    const { statusCode, message, faults } = error as Partial<FastifyError> & { readonly faults?: readonly string[] }
    if (statusCode !== 409) throw error
    return faults?.map((fault) => `no backend would be usable: ${fault}`) ?? [message!]
  }
}

/** The response to a dry run. */
export function dryRun(preview: Preview): Preview {
  return { ...preview, faults: toldFaults(preview.faults).map(withoutSecrets) }
}

/** @throws BadRequestError naming every fault, at most 100 */
export function refuseFaulty({ faults }: Preview): void {
  if (faults.length > 0) throw new BadRequestError(faults)
}
