import type { EventEmitter } from 'node:events'

/** One listener for each emitter, however many wait: with more than ten, Node would warn. */
const waiting = new WeakMap<EventEmitter, Set<() => void>>()

/** Calls `callback` once that is closed; answers how to stop waiting. */
export function onceClosed(emitter: EventEmitter, callback: () => void): () => void {
  let all = waiting.get(emitter)
  if (all === undefined) {
    const own = (all = new Set())
    waiting.set(emitter, own)
    emitter.once('close', () => {
      for (const one of own) one()
    })
  }
  const own = all
  own.add(callback)
  return () => void own.delete(callback)
}
