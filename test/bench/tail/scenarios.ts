import type { ServiceSettings } from './backends/service.ts'
import type { Distribution } from './distributions.ts'

/** Who asks: independent clients that come at a rate, or so many that each wait for their answer before they ask again. */
export type Load =
  | { readonly kind: 'open'; /** Requests a second. */ readonly rate: number }
  | { readonly kind: 'closed'; readonly clients: number }

/** Backends that are queueing systems, and who asks. */
export interface TailScenario {
  readonly name: string
  readonly title: string
  /** What is set up, for people. */
  readonly says: string
  readonly backends: readonly ServiceSettings[]
  readonly work: Distribution
  readonly load: Load
  /** Balancers in front of the backends, which know nothing of each other; each gets its part of the requests. */
  readonly balancers: 1 | 2
  /** Seconds that a run takes at least, because something in it happens so seldom. */
  readonly atLeast?: number
}

const many = (count: number, one: ServiceSettings) => Array.from({ length: count }, () => one)

const usual: ServiceSettings = { slots: 20, mean: 25 }
/** ms that the disturbance stays with each of four backends. */
const stay = 2000

/** What the goals of load-aware policies are measured by. */
export const scenarios: readonly TailScenario[] = [
  {
    name: 'slow-one',
    title: 'One of four is ten times slower',
    says: 'Four backends with 20 slots, exponential service with means of 5, 5, 5 and 50 ms; 48 clients in a closed loop.',
    backends: [...many(3, { slots: 20, mean: 5 }), { slots: 20, mean: 50 }],
    work: 'exponential',
    load: { kind: 'closed', clients: 48 },
    balancers: 1,
  },
  {
    name: 'pauses',
    title: 'One pauses for 1 s of every 10',
    says: 'Four backends with 20 slots, exponential service with a mean of 25 ms; one is paused from 4 s to 5 s; 60 % of the capacity is asked for.',
    backends: [{ ...usual, spells: { every: 10_000, from: 4000, lasts: 1000, speed: 0 } }, ...many(3, usual)],
    work: 'exponential',
    load: { kind: 'open', rate: 1920 },
    balancers: 1,
    atLeast: 10,
  },
  {
    name: 'antagonist',
    title: 'Another load moves between backends',
    says: 'Four backends with 20 slots, exponential service with a mean of 25 ms; one after the other has a fifth of its speed for 2 s; 60 % of the capacity is asked for, 75 % of what is left.',
    backends: Array.from({ length: 4 }, (_, index) => ({
      ...usual,
      spells: { every: 4 * stay, from: index * stay, lasts: stay, speed: 0.2 },
    })),
    work: 'exponential',
    load: { kind: 'open', rate: 1920 },
    balancers: 1,
  },
  {
    name: 'hundred',
    title: 'Five of a hundred are ten times slower',
    says: '100 backends with 4 slots, exponential service with a mean of 100 ms, of five 1 s; 70 % of the capacity is asked for.',
    backends: [...many(95, { slots: 4, mean: 100 }), ...many(5, { slots: 4, mean: 1000 })],
    work: 'exponential',
    load: { kind: 'open', rate: 2670 },
    balancers: 1,
  },
  {
    name: 'heavy-tail',
    title: 'Few requests are most of the work',
    says: 'Eight backends with 4 slots, Pareto service (shape 1.5, the largest 1 000 times the smallest) with a mean of 10 ms; 80 % of the capacity is asked for.',
    backends: many(8, { slots: 4, mean: 10 }),
    work: 'pareto',
    load: { kind: 'open', rate: 2560 },
    balancers: 1,
  },
  {
    name: 'two-balancers',
    title: 'Two balancers over one set',
    says: 'Eight backends with 4 slots, exponential service with a mean of 10 ms, of one 100 ms, behind two balancers that each get half of the requests; 70 % of the capacity is asked for.',
    backends: [...many(7, { slots: 4, mean: 10 }), { slots: 4, mean: 100 }],
    work: 'exponential',
    load: { kind: 'open', rate: 1990 },
    balancers: 2,
  },
]
