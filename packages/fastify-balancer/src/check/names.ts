import { readAddress } from '@fastify-balancer/option-schema'
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { within, type PlacedFault } from '../configuration/document/fault.ts'
import { isPlain } from '../configuration/schema/applied.ts'

/** Longer than this (ms) nobody waits for a name. */
const patience = 5000

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
const member = (value: unknown, name: string): unknown => (isPlain(value) ? value[name] : undefined)

/** The name in an address that has one; undefined for an IP address, and for what is none. */
function nameIn(url: unknown): string | undefined {
  const read = typeof url === 'string' ? readAddress(url) : undefined
  if (read === undefined || 'fault' in read || read.socketPath !== undefined) return undefined
  const { hostname } = new URL(read.origin)
  return hostname.startsWith('[') || isIP(hostname) !== 0 ? undefined : hostname
}

type Address = readonly [pointer: string, url: unknown]

function backendsOf(balancer: unknown, place: string): readonly Address[] {
  return listOf(member(balancer, 'backends')).map((backend, position) => {
    const pointer = `${place}/backends/${position}`
    return isPlain(backend) ? [within(pointer, 'url'), backend['url']] : [pointer, backend]
  })
}

function mirrorsOf(balancer: unknown, place: string): readonly Address[] {
  return listOf(member(member(balancer, 'mirror'), 'to')).map((url, position) => [
    `${place}/mirror/to/${position}`,
    url,
  ])
}

/** Every name of a backend or a mirror that has to be resolved, with its place. */
function namesIn(value: unknown): readonly (readonly [pointer: string, name: string])[] {
  const addresses = listOf(member(value, 'balancers')).flatMap((balancer, index) => {
    const place = `/balancers/${index}`
    return backendsOf(balancer, place).concat(mirrorsOf(balancer, place))
  })
  return addresses.flatMap(([pointer, url]) => {
    const name = nameIn(url)
    return name === undefined ? [] : [[pointer, name] as const]
  })
}

async function problemOf(name: string): Promise<string | undefined> {
  const { promise: tooLong, resolve } = Promise.withResolvers<string>()
  const timer = setTimeout(resolve, patience, `no name server has answered for ${patience / 1000} s`)
  const found = lookup(name).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error.code ?? error.message,
  )
  const problem = await Promise.race([found, tooLong])
  clearTimeout(timer)
  return problem
}

/** Names of backends and mirrors that do not resolve here and now. Each name is asked for once. */
export async function nameWarnings(value: unknown): Promise<readonly PlacedFault[]> {
  const names = namesIn(value)
  const unique = [...new Set(names.map(([, name]) => name))]
  const problems = new Map(await Promise.all(unique.map(async (name) => [name, await problemOf(name)] as const)))
  return names.flatMap(([pointer, name]) => {
    const problem = problems.get(name)
    return problem === undefined ? [] : [{ pointer, message: `the name ${name} does not resolve here: ${problem}` }]
  })
}
