import { options } from './arguments.ts'

function usageOf(name: string, option: { short?: string; value?: string }): string {
  return `${option.short === undefined ? '' : `-${option.short}, `}--${name}${option.value === undefined ? '' : ` <${option.value}>`}`
}

function optionLines(): string[] {
  return Object.entries<{ short?: string; value?: string; default?: string; description: string }>(options).map(
    ([name, option]) => {
      const byDefault = option.default === undefined ? '' : ` (${option.default})`
      return `  ${usageOf(name, option).padEnd(22)} ${option.description}${byDefault}`
    },
  )
}

/** What `--help` prints. */
export const help = `fastify-balancer balances HTTP requests over several servers.

  fastify-balancer [options]             three demo backends and a live page, to see what it does
  fastify-balancer [options] <address>…  balances these: http://host:port, https://host:port or host:port

${optionLines().join('\n')}

SIGTERM and SIGINT stop it gently: what is in flight ends first. A second one stops it at once.
Exit codes: 0 stopped by a signal, 1 could not listen or was stopped twice, 2 wrong arguments.

A backend that keeps refusing, failing or hanging gets no requests until it has recovered; the log says why.

Everything else (weights, retries, timeouts, rewriting, TLS, several balancers) is ten lines of TypeScript:

  import Fastify from 'fastify'
  import balancer from 'fastify-balancer'

  const app = Fastify({ logger: true })
  await app.register(balancer, {
    backends: [{ url: 'http://127.0.0.1:3001', weight: 3 }, 'http://127.0.0.1:3002'],
    timeouts: { headers: 5000 },
  })
  await app.listen({ port: 8080 })
`
