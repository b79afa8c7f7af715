import type { FastifyRequest } from 'fastify'
import type { QueueSettings } from '../picking/queue/queue-options.ts'
import { isTrusted } from '../request/forwarded.ts'

const threw = 'queue.priority.classify threw an error'

type Priority = QueueSettings['priority']

/** The class from the operator's own function; undefined if that returns none, or fails. */
function classified(request: FastifyRequest, { classify, classes }: Priority): string | undefined {
  try {
    const name: unknown = classify?.(request)
    // One that is async by mistake is not awaited, but its rejection must not crash the process.
    if (name instanceof Promise) name.catch((error: unknown) => request.log.error({ err: error }, threw))
    if (name === undefined || classes.includes(name as string)) return name as string | undefined
    request.log.error({ class: name }, 'queue.priority.classify returned a class that is not in queue.priority.classes')
  } catch (error) {
    request.log.error({ err: error }, threw)
  }
  return undefined
}

/**
 * The class in which a request waits: by `classify`, else by the header, else the default one. Anyone can send a
 * header: it promotes a request only if the peer is trusted by `trustProxy`, and lowers that of anyone.
 */
export function classOf(request: FastifyRequest, priority: Priority): string | undefined {
  const { classes, default: usual = '', header } = priority
  if (classes.length === 0) return undefined
  const name = classified(request, priority)
  if (name !== undefined || header === undefined) return name ?? usual
  const asked = classes.indexOf(String(request.headers[header.toLowerCase()]))
  const isHigher = asked < classes.indexOf(usual)
  return asked === -1 || (isHigher && !isTrusted(request)) ? usual : classes[asked]
}
