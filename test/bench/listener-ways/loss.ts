import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { payload } from '../scenarios.ts'
import { startWorkers, ways, type Way } from './ways.ts'

const clients = 32
/** ms under load before a worker ends. */
const between = 300
/** ms until a client gives up. */
const patience = 5000

/** How a worker ends: killed; by Fastify's `close` alone; or it stops accepting, and closes when its connections have ended. */
const endings = ['kill', 'close', 'leave'] as const

/** What a client sees that is not answered. */
type Trouble = 'refused' | 'reset' | 'cut' | 'silent' | `status ${string}`

/** What clients saw of workers that ended one after the other, while each asked on a new connection again and again. */
export interface Loss {
  readonly way: Way
  readonly ending: (typeof endings)[number]
  readonly clients: number
  /** How often. */
  readonly ends: number
  readonly requests: number
  readonly troubles: Readonly<Partial<Record<Trouble, number>>>
}

/** One request on a connection of its own; undefined if it is answered. */
function ask(port: number): Promise<Trouble | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    let answer = ''
    const timer = setTimeout(() => {
      resolve('silent')
      socket.destroy()
    }, patience)
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => (answer += text))
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'ECONNREFUSED' ? 'refused' : 'reset'))
    socket.once('close', () => {
      clearTimeout(timer)
      if (answer === '') resolve('reset')
      else if (!answer.startsWith('HTTP/1.1 200')) resolve(`status ${answer.slice(9, 12)}`)
      else resolve(answer.endsWith(payload(100)) ? undefined : 'cut')
    })
    socket.write('GET /100-bytes HTTP/1.1\r\nhost: a.example\r\nconnection: close\r\n\r\n')
  })
}

/** Each client asks on a new connection again and again while this goes on. */
async function underLoad(port: number, during: () => Promise<void>): Promise<Pick<Loss, 'requests' | 'troubles'>> {
  const troubles: Partial<Record<Trouble, number>> = {}
  let requests = 0
  let goesOn = true
  const load = Array.from({ length: clients }, async () => {
    while (goesOn) {
      const trouble = await ask(port)
      requests++
      if (trouble !== undefined) troubles[trouble] = (troubles[trouble] ?? 0) + 1
    }
  })
  await during()
  goesOn = false
  await Promise.all(load)
  return { requests, troubles }
}

/** So many workers end in each way, one after the other, until one is left. */
export async function measureLoss(backends: readonly number[], ends: number): Promise<Loss[]> {
  const measured: Loss[] = []
  for (const way of ways)
    for (const ending of endings) {
      process.stderr.write(`loss · ${way} · ${ending}\n`)
      const { port, child } = await startWorkers({ way, workers: ends + 1, backends })
      const seen = await underLoad(port, async () => {
        for (let end = 0; end < ends; end++) {
          await delay(between)
          await child.ask(ending)
        }
      })
      measured.push({ way, ending, clients, ends, ...seen })
      await child.stop()
    }
  return measured
}
