import { setTimeout as after } from 'node:timers/promises'
import { CommandError } from '../command-error.ts'
import type { AdminApi } from './admin-api.ts'
import { Board, type Order } from './board.ts'
import { harmless } from './harmless.ts'
import { sectionsOf } from './sections.ts'
import { painter } from './table.ts'
import { Terminal, type Key } from './terminal.ts'
import { RecentTraffic } from './traffic.ts'

/** How often it is looked (ms): as often as the server tells figures. */
const period = 1000

function messageOf(error: unknown): string {
  if (error instanceof CommandError) return error.message
  return error instanceof Error ? error.message : String(error)
}

/** Carries out an order; answers what came of it. */
async function carryOut(api: AdminApi, { kind, row: { balancer, backend } }: Order): Promise<string> {
  if (kind === 'probe') {
    const { good, received, timings } = await api.probe(balancer, backend.id)
    return `probe of ${backend.id}: ${good ? 'good' : 'not good'}, ${received}, ${timings.took.toFixed(1)} ms`
  }
  await api.setState(balancer, backend.id, kind)
  return `${backend.id} of ${balancer}: ${kind === 'drain' ? 'draining' : 'ready'}`
}

/** Again and again, with a pause after each time. */
async function repeat(work: () => Promise<void>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await work()
    // oxlint-disable-next-line no-await-in-loop -- likewise
    await after(period, undefined, { signal }).catch(() => {})
  }
}

/** Shows the table on the terminal until a key or a signal ends it. @throws CommandError if the first look fails */
export async function watch(api: AdminApi, isColoured: boolean): Promise<void> {
  const recent = new RecentTraffic()
  const board = new Board(api.url, painter(isColoured))
  const ask = () => Promise.all([api.balancers(), api.instances()])
  const show = ([balancers, instances]: Awaited<ReturnType<typeof ask>>): void =>
    board.show(sectionsOf(balancers, recent), instances)
  show(await ask())
  const over = new AbortController()
  const { signal } = over
  const draw = (): void => terminal.draw(board.lines(terminal.width, terminal.height))
  const look = async (): Promise<void> => {
    await ask().then(show, (error: unknown) => board.lose(messageOf(error)))
    draw()
  }
  const order = async (confirmed: Order): Promise<void> => {
    board.tell(
      await carryOut(api, confirmed)
        .catch((error: unknown) => `not done: ${messageOf(error)}`)
        .then(harmless),
    )
    await look()
  }
  const press = (key: Key): void => {
    if (key === 'q' || key === 'ctrl-c') return over.abort()
    const confirmed = board.press(key)
    draw()
    if (confirmed !== undefined) void order(confirmed)
  }
  const terminal = new Terminal(press, draw)
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(name, () => over.abort())
  const follow = async (): Promise<void> => {
    // What is wrong is told by the look.
    await api.follow((figures) => recent.add(figures), signal).catch(() => {})
    recent.clear()
  }
  const following = repeat(follow, signal)
  await repeat(look, signal)
  terminal.close()
  await following
}
