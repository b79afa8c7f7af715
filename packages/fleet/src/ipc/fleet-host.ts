import type { Instance, Store, Unsubscribe } from '../store/store.ts'
import { MemoryStore } from '../store/memory-store.ts'
import { key, now, ours, type Call, type Delivery, type Request } from './messages.ts'

/** A worker process, as `node:cluster` and `node:child_process` have it. */
export interface WorkerChannel {
  send(message: object, callback?: (error: Error | null) => void): unknown
  on(event: 'message', listener: (message: unknown) => void): unknown
  on(event: 'disconnect' | 'exit', listener: () => void): unknown
}

/** So many hints wait for a worker at most. */
const mostUnsent = 1000

async function carryOut(store: Store, call: Call): Promise<unknown> {
  if (call.method === 'read') return store.read(...call.args)
  if (call.method === 'list') return [...(await store.list(...call.args))]
  if ('until' in call && call.until < now()) throw new Error('the parent process was paused')
  if (call.method === 'set') return store.compareAndSet(...call.args)
  if (call.method === 'remove') return store.compareAndSet(...call.args, undefined)
  if (call.method === 'withdraw') return store.withdraw(...call.args)
  const [instance, ttl] = call.args
  return store.announce(instance as Instance, ttl)
}

/** The parent's side: keeps what its workers share. A worker that ends takes its announcement with it. */
export class FleetHost {
  readonly store: Store

  constructor(store: Store = new MemoryStore()) {
    this.store = store
  }

  /** Serves a worker from now on, until it ends. */
  serve(worker: WorkerChannel): void {
    const { store } = this
    const subscriptions = new Map<number, Unsubscribe>()
    const announced = new Set<string>()
    let isOver = false
    // A worker that has just ended cannot be told anything.
    const send = (delivery: Delivery) => void (isOver || worker.send({ [key]: delivery }, () => {}))
    const open = (number: number, unsubscribe: Unsubscribe) => void subscriptions.set(number, unsubscribe)
    // Hints may be lost; for a paused worker, they would only pile up.
    let unsent = 0
    const hint = (number: number) => (value: unknown) => {
      if (isOver || unsent >= mostUnsent) return
      unsent++
      worker.send({ [key]: { kind: 'event', number, value } satisfies Delivery }, () => unsent--)
    }
    // A worker that is busy for a while gets what is newest by then, not all there was.
    const newest = (number: number) => {
      let next: Delivery | undefined
      let isSending = false
      const sendNext = () => {
        isSending = next !== undefined && !isOver
        if (next === undefined || isOver) return
        const delivery = next
        next = undefined
        worker.send({ [key]: delivery }, sendNext)
      }
      return (value: unknown) => {
        next = { kind: 'event', number, value }
        if (!isSending) sendNext()
      }
    }
    const onRequest = (request: Request) => {
      switch (request.kind) {
        case 'call': {
          const { number } = request
          if (request.method === 'announce') announced.add((request.args[0] as Instance).id)
          void carryOut(store, request).then(
            (value) => send({ kind: 'answer', number, value }),
            (error: unknown) => send({ kind: 'answer', number, fault: (error as Error).message }),
          )
          return
        }
        case 'watch':
          return open(request.number, store.watch(request.name, newest(request.number)))
        case 'subscribe':
          return open(request.number, store.subscribe(request.name, hint(request.number)))
        case 'instances':
          return open(request.number, store.watchInstances(newest(request.number)))
        case 'end':
          subscriptions.get(request.number)?.()
          return void subscriptions.delete(request.number)
        case 'publish':
          return store.publish(request.topic, request.message)
      }
    }
    const end = () => {
      if (isOver) return
      isOver = true
      for (const unsubscribe of subscriptions.values()) unsubscribe()
      for (const id of announced) void store.withdraw(id).catch(() => {})
    }
    worker.on('message', (message) => {
      const request = ours(message) as Request | undefined
      if (request !== undefined && !isOver) onRequest(request)
    })
    worker.on('disconnect', end)
    worker.on('exit', end)
  }
}
