/** The variable by which a process is told that it is a worker of a parent of ours. */
const name = 'FASTIFY_BALANCER_WORKER'

/** For the processes that a parent starts. */
export const workerEnvironment = { [name]: 'yes' }

/** Is this process a worker? What it starts itself is none. */
export function takeWorkerEnvironment(): boolean {
  const isWorker = process.env[name] !== undefined && process.connected
  delete process.env[name]
  return isWorker
}
