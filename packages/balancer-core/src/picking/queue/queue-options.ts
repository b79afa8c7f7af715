import { code, faultsOf, functionFaults, milliseconds, shown, strict } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'
import type { FastifyRequest } from 'fastify'

/** Says which class a request waits in; undefined for the header's or the default one. */
export type Classify = (request: FastifyRequest) => string | undefined

const headerName = "^[!#$%&'*+\\-.^_`|~\\w]+$"

const PriorityOptions = Type.Object(
  {
    classes: Type.Array(Type.String({ minLength: 1 }), {
      maxItems: 16,
      uniqueItems: true,
      expected: 'at most 16 different names',
      default: [],
      description:
        "Classes of waiting requests, the most important first, e.g. `['high', 'normal', 'low']`: free places go to the first one that waits. When the queue is full, a request displaces the newest one of the least important class below its own, which gets 503. Empty = all are equal",
    }),
    default: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          'The class of requests for which neither `classify` nor `header` names one. Required with `classes`',
      }),
    ),
    header: Type.Optional(
      Type.String({
        pattern: headerName,
        expected: 'the name of a header',
        description:
          'Name of a request header, such as `x-priority`, that names the class. From a peer trusted by `trustProxy` it may be any; other clients can only lower themselves with it',
      }),
    ),
    classify: code<Classify>(
      '`(request) => class`: names the class, before `header`, and is always trusted; `undefined` leaves it to `header`. Called only for requests that must wait, after the hooks of your app',
    ),
    share: Type.Number({
      minimum: 0,
      maximum: 1,
      default: 0.1,
      description:
        'Each class but the first gets at least this share of the free places while it waits, so that it does not starve; 0 = strict priority',
    }),
  },
  { ...strict, default: {}, description: 'Who goes first in the queue' },
)

/** The queue of a balancer: how many may wait, and in which order. */
export const QueueOptions = Type.Object(
  {
    max: Type.Integer({
      minimum: 0,
      default: 1024,
      description: 'How many requests may wait when all backends are at their limit; more get 503 at once',
    }),
    priority: PriorityOptions,
    shed: Type.Union([Type.Literal('codel'), Type.Literal(false)], {
      default: false,
      description:
        '`codel`: when a class has been waiting for `interval` without a break, it is overloaded. Until its queue is empty, its newest requests are served first, and those that have waited longer than `target` get 503 when the next request comes or a place is free, but for the last one. `false` = first come, first served, until `timeouts.queue`',
    }),
    target: milliseconds('With `shed`: how long requests may wait during overload', 5, 1),
    interval: milliseconds('With `shed`: how long a class must be waiting to be overloaded', 100, 1),
  },
  { ...strict, default: {}, description: 'Queue for requests while every backend is at its limit' },
)

/** With every default in place. */
export type QueueSettings = Readonly<Static<typeof QueueOptions>>

/** What the schema cannot check. */
export function queueFaults(queue: QueueSettings): string[] {
  // What is wrong in itself has been told already.
  if (faultsOf(QueueOptions, { ...queue, priority: { ...queue?.priority, classify: undefined } }).length > 0) return []
  const { classes, default: byDefault, header, classify, share } = queue.priority
  const place = 'queue.priority'
  const faults = functionFaults(`${place}.classify`, classify)
  if (classes.length === 0) {
    const given = { default: byDefault, header, classify }
    const [needless] = Object.entries(given).find(([, value]) => value !== undefined) ?? []
    if (needless !== undefined) faults.push(`${place}.${needless}: needs \`classes\``)
    return [...faults]
  }
  if (byDefault === undefined || !classes.includes(byDefault)) {
    const names = classes.map((name) => `'${name}'`).join(', ')
    faults.push(`${place}.default: expected one of ${names}, got ${shown(byDefault)}`)
  }
  if (header === undefined && classify === undefined)
    faults.push(`${place}: needs \`header\` or \`classify\`, or all requests are \`default\``)
  const most = 1 / (classes.length - 1)
  if (share > most) faults.push(`${place}.share: with ${classes.length} classes at most ${most}, got ${share}`)
  return [...faults]
}
