import { optionChanges } from '@fastify-balancer/option-schema'
import type { AdminConfiguration, Configuration, Listener } from '../configuration/configuration.ts'
import { unchanged, type Part } from './part.ts'

const whyListeners = 'listeners open when the process starts'
const whyRoutes = 'routes are registered when the app starts'
const whyLog = 'the log is opened when the process starts'

/** Without the files of a certificate, which is renewed while it listens; that there is one, stays. */
function withoutFiles({ tls, ...listener }: Listener): object {
  return { ...listener, tls: tls !== undefined }
}

/** Without what is renewed while it runs. */
function fixedOf(admin: AdminConfiguration | false): object | false {
  if (admin === false) return false
  const { token: _, basicAuth: __, reload: ___, listen, ...routes } = admin
  return { ...routes, ...(listen !== undefined && { listen: withoutFiles(listen) }) }
}

/** What of a configuration cannot change while it runs. */
export function fixedPart(running: Configuration, wanted: Configuration): Part {
  const pictureOf = ({ listen, admin, metrics, dashboard, underPressure, log }: Configuration) => ({
    listen: Object.fromEntries(listen.map((one, index) => [index, withoutFiles(one)])),
    admin: fixedOf(admin),
    metrics,
    dashboard,
    underPressure,
    log: { form: log.form },
  })
  const cannot = optionChanges(pictureOf(running), pictureOf(wanted)).map((change) => ({
    ...change,
    why: /^(?:admin\.)?listen\b/.test(change.option)
      ? whyListeners
      : change.option.startsWith('log')
        ? whyLog
        : whyRoutes,
  }))
  return { ...unchanged, cannot }
}
