// Room `server`: runs what a command line or a file describes: listeners, log, signals.
import Fastify, { LogController } from 'fastify'
import type { ServeCommand } from '../command/arguments.ts'
import { CommandError } from '../command-error.ts'
import { invitation, startDemo } from '../demo/demo.ts'
import balancer from '../index.ts'
import { loggerOf } from './log.ts'
import { onlyLocal } from '../demo/only-local.ts'

/** How long a demo backend stays away once it was stopped, in ms. */
const downtime = 10_000

function listenError(error: unknown, { host, port }: ServeCommand): CommandError {
  const { code, message } = error as NodeJS.ErrnoException
  const place = `port ${port} of ${host}`
  if (code === 'EADDRINUSE') return new CommandError(`${place} is in use; choose another with --port`, 1)
  if (code === 'EACCES') return new CommandError(`${place} is not allowed; choose another with --port`, 1)
  return new CommandError(`cannot listen on ${place}: ${message}`, 1)
}

/**
 * Balances until a signal stops it.
 * @throws CommandError when it cannot listen
 */
export async function serve(command: ServeCommand): Promise<void> {
  const { backends, policy, check, drainDeadline, host, port } = command
  const app = Fastify({
    logger: await loggerOf(command.log ?? (process.stdout.isTTY ? 'pretty' : 'json')),
    // The balancer's own line says more than Fastify's two.
    logController: new LogController({ disableRequestLogging: true }),
    // By then all is drained; a connection on which nobody has asked anything would hold Node 22 and 24 for ever.
    forceCloseConnections: true,
    // Draining counts as a plugin's work to Fastify, which would crash after 10 s of it.
    pluginTimeout: 0,
  })
  const demo = backends.length === 0 ? await startDemo(downtime) : undefined
  if (demo !== undefined) app.addHook('onClose', async () => demo.close())
  await app.register(balancer, {
    backends: [...(demo?.backends ?? backends)],
    policy,
    drainDeadline,
    healthCheck: check === undefined ? { type: 'none' } : { path: check },
    ...(demo !== undefined && { admin: { onRequest: onlyLocal }, dashboard: {} }),
  })

  let stopping = false
  function stop(signal: string): void {
    if (stopping) process.exit(1)
    stopping = true
    app.log.info(`${signal}: stopping, once the requests in flight have ended: ${app.balancer.exchanges}`)
    void app.close()
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)

  const listenTextResolver = (address: string) =>
    `balancing ${demo === undefined ? backends.join(', ') : 'three demo backends'} at ${address} by ${policy}`
  try {
    const address = await app.listen({ host, port, listenTextResolver })
    if (demo !== undefined) process.stdout.write(invitation(address, downtime))
  } catch (error) {
    await app.close()
    throw listenError(error, command)
  }
}
