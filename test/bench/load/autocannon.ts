import { fileURLToPath } from 'node:url'
import { Child } from '../child.ts'
import type { Load } from './load.ts'
import { payload } from '../scenarios.ts'
import { packageVersion } from '../versions.ts'

/** The part of autocannon's report that is read here. */
interface AutocannonReport {
  readonly duration: number
  readonly requests: { readonly total: number }
  readonly latency: { readonly p50: number; readonly p99: number }
  readonly errors: number
  readonly timeouts: number
  readonly non2xx: number
}

export const autocannonVersion = (): string => packageVersion('autocannon')

export const runAutocannon: Load = async (port, { method, path, upload, closes = false }, { connections, seconds }) => {
  const program = fileURLToPath(import.meta.resolve('autocannon'))
  const size = ['--connections', String(connections), '--duration', String(seconds)]
  const body = ['--body', payload(upload), '--headers', 'content-type=application/octet-stream']
  const head = closes ? ['--headers', 'connection=close'] : []
  const target = ['--method', method, ...head, ...(upload > 0 ? body : []), `http://127.0.0.1:${port}${path}`]
  const autocannon = new Child(process.execPath, [program, '--json', '--no-progress', ...size, ...target], {
    side: 'load',
  })
  const { duration, requests, latency, errors, timeouts, non2xx } = JSON.parse(
    await autocannon.finished(),
  ) as AutocannonReport
  return {
    requests: requests.total,
    seconds: duration,
    p50: latency.p50,
    p99: latency.p99,
    // Its errors contain its timeouts.
    errors: Math.max(errors, timeouts) + non2xx,
  }
}
