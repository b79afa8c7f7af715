import type { AdminRoutesOptions } from '@fastify-balancer/admin-routes'
import type { FastifyInstance } from 'fastify'
import type { Configuration } from '../configuration/configuration.ts'
import { accessOf } from '../guard/access.ts'
import { AdminGuard } from '../guard/admin-guard.ts'
import { tokenWarning } from '../guard/token.ts'
import { administer } from '../plugin/administration.ts'

type Administration = Pick<Configuration, 'admin' | 'metrics' | 'dashboard'>

/** The routes of an administration, as patterns: for the apps that hand them over. */
export function administrationUrls({ admin, metrics, dashboard }: Administration): readonly string[] {
  const { prefix = '/_balancer' } = admin === false ? {} : admin
  const { path = `${prefix}/dashboard` } = dashboard === false ? {} : dashboard
  const below = [...(admin === false ? [] : [prefix]), ...(admin === false || dashboard === false ? [] : [path])]
  const figures = metrics === false || metrics.route === false ? [] : [metrics.path ?? '/metrics']
  return [...below.flatMap((url) => [url, `${url}/*`]), ...figures]
}

/**
 * Adds the metrics, the admin routes and the page of a configuration, for those who may use them: a token or a password opens
 * them; without either, only this machine may, or those who may use the Unix socket of `admin.listen`, unless `admin.insecure`
 * is written.
 * @throws CommandError when the token or the file of passwords cannot be used
 */
export async function administerGuarded(
  app: FastifyInstance,
  { admin, metrics, dashboard }: Administration,
): Promise<AdminGuard> {
  const { token, basicAuth, listen, ...routes } = admin === false ? {} : admin
  const guard = new AdminGuard(
    accessOf({ ...(token !== undefined && { token }), ...(basicAuth !== undefined && { basicAuth }) }),
    listen?.path !== undefined,
  )
  const warning = token === undefined ? undefined : tokenWarning(token)
  if (warning !== undefined) app.log.warn(`the admin token ${warning}`)
  const onRequest = await guard.hook(app)
  const isOpen = routes.insecure === true && token === undefined && basicAuth === undefined
  guard.isAsked = !isOpen
  const guarded: AdminRoutesOptions = { ...routes, insecure: false, onRequest, user: guard.user }
  await administer(app, {
    admin: admin === false ? false : isOpen ? routes : guarded,
    metrics: metrics === false || isOpen ? metrics : { onRequest, ...metrics },
    dashboard: admin === false ? false : dashboard,
  })
  return guard
}
