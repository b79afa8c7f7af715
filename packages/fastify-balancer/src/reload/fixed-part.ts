import { optionChanges } from '@fastify-balancer/option-schema'
import type { AdminConfiguration, Configuration, Listener } from '../configuration/configuration.ts'
import { countOf } from '../values/worker-count.ts'
import { unchanged, type Part } from './part.ts'

/** Without the files of a certificate, which is renewed while it listens; that there is one, stays. */
function withoutFiles({ tls, ...listener }: Listener): object {
  return { ...listener, tls: tls !== undefined }
}

/** Without what is renewed while it runs. */
function fixedOf(admin: AdminConfiguration | false): object | false {
  if (admin === false) return false
  const { token: _, basicAuth: __, reload: ___, restart: ____, listen, ...routes } = admin
  return { ...routes, ...(listen !== undefined && { listen: withoutFiles(listen) }) }
}

function pictureOf({ workers, divideLimits = true, listen, log, ...around }: Configuration): object {
  const { admin, metrics, dashboard, underPressure } = around
  return {
    workers: countOf(workers),
    divideLimits,
    listen: Object.fromEntries(listen.map((one, index) => [index, withoutFiles(one)])),
    admin: fixedOf(admin),
    metrics,
    dashboard,
    underPressure,
    log: { form: log.form, file: log.file },
  }
}

function whyNot(option: string): string {
  if (/^(?:admin\.)?listen\b/.test(option)) return 'listeners open when the process starts'
  if (option === 'workers') return 'the processes start when the command does'
  if (option === 'divideLimits') return 'workers agree on it when they start'
  return option.startsWith('log')
    ? 'the log is opened when the process starts'
    : 'routes are registered when the app starts'
}

/** What of a configuration cannot change while it runs. */
export function fixedPart(running: Configuration, wanted: Configuration): Part {
  const changes = optionChanges(pictureOf(running), pictureOf(wanted))
  return { ...unchanged, cannot: changes.map(({ option, from, to }) => ({ option, from, to, why: whyNot(option) })) }
}
