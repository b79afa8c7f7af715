import type { Balancer, ChangeOptions, Preview } from '@fastify-balancer/balancer-core'
import type { FastifyError } from 'fastify'
import { BadRequestError } from '../errors.ts'
import type { WantedBackend } from '../schemas/wanted.ts'

/** A list, as somebody would have it. */
export type Wanted = readonly (string | WantedBackend)[]

/** Why a balancer would not make a change, once it has looked at newcomers; it names all or the first of them. */
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

/** @throws BadRequestError naming every fault, or the first of very many */
export function refuseFaulty({ faults }: Preview): void {
  if (faults.length > 0) throw new BadRequestError(faults)
}
