import type { Balancer, ChangeOptions, Preview } from '@fastify-balancer/balancer-core'
import type { FastifyError } from 'fastify'
import { BadRequestError } from '../errors.ts'
import type { WantedBackend } from '../schemas/wanted.ts'

/** The list that a client asks for. */
export type Wanted = readonly (string | WantedBackend)[]

/** Why the balancer would refuse a change after probing the new backends; names all faults, or the first of them. */
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

/** @throws BadRequestError naming every fault, at most 100 */
export function refuseFaulty({ faults }: Preview): void {
  if (faults.length > 0) throw new BadRequestError(faults)
}
