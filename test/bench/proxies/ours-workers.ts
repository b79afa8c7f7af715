// Several workers behind one port. `--way=` is how they share it: round-robin (node:cluster, the parent accepts), shared
// (node:cluster, all accept from one socket) or reuse-port (each has a socket of its own).
import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { freePorts } from '../free-port.ts'

const { values, positionals } = parseArgs({
  options: {
    way: { type: 'string', default: 'round-robin' },
    workers: { type: 'string', default: '2' },
    listener: { type: 'string', default: 'http1' },
  },
  allowPositionals: true,
})
const [port = 0] = await freePorts(1)
cluster.schedulingPolicy = values.way === 'shared' ? cluster.SCHED_NONE : cluster.SCHED_RR
cluster.setupPrimary({
  exec: fileURLToPath(new URL('ours-worker.ts', import.meta.url)),
  args: [
    `--port=${port}`,
    `--listener=${values.listener}`,
    ...(values.way === 'reuse-port' ? ['--reuse-port'] : []),
    ...positionals,
  ],
})

/** Starts one, and waits until it listens. */
async function start(): Promise<Worker> {
  const worker = cluster.fork()
  await once(worker, 'message')
  return worker
}

/** Connections of each since somebody asked last. */
function count(): Promise<number[]> {
  return Promise.all(
    workers.map(async (worker) => {
      worker.send('count')
      return (await once(worker, 'message'))[0] as number
    }),
  )
}

/** The oldest is killed without a warning, or told to end; nothing replaces it. */
async function end(asked: 'kill' | 'close' | 'leave'): Promise<void> {
  const worker = workers.shift()!
  const exited = once(worker, 'exit')
  if (asked === 'kill') worker.process.kill('SIGKILL')
  else worker.send(asked)
  await exited
}

const workers = await Promise.all(Array.from({ length: Number(values.workers) }, start))
process.on('message', (asked: 'count' | 'kill' | 'close' | 'leave') => {
  const done = asked === 'count' ? count() : end(asked)
  void done.then((answer) => process.send!(answer ?? asked))
})
process.once('disconnect', () => process.exit())
process.send!(port)
