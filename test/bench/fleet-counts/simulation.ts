import { drawing, seeded } from '../tail/distributions.ts'

/** What an instance knows of the requests of others: nothing, what was true up to 100 ms ago, or everything. */
export type Knowledge = 'own' | 'gossip' | 'all'

export interface Setting {
  readonly policy: 'least-requests' | 'p2c'
  readonly knows: Knowledge
  readonly instances: number
  /** Mean service time of each backend, in ms; each serves `slots` requests at once, and the others wait there. */
  readonly backends: readonly number[]
  readonly slots: number
  /** The share of what all backends can do that is asked for, with exponential service and Poisson arrivals. */
  readonly load: number
}

const gossipEvery = 100
const requests = 200_000
/** These are left out. */
const warmUp = 20_000

/** The state of one backend: when each of its slots is free, and the ends of what is in flight, by instance. */
class SimulatedBackend {
  readonly mean: number
  readonly own: number[]
  /** What each instance has last told of itself. */
  readonly told: number[]
  readonly #free: number[]
  all = 0

  constructor(mean: number, slots: number, instances: number) {
    this.mean = mean
    this.#free = Array.from({ length: slots }, () => 0)
    this.own = Array.from({ length: instances }, () => 0)
    this.told = [...this.own]
  }

  /** First come, first served. Answers when it is done. */
  serve(now: number, work: number): number {
    const free = this.#free
    const slot = free.indexOf(Math.min(...free))
    return (free[slot] = Math.max(now, free[slot]!) + work * this.mean)
  }
}

interface End {
  readonly at: number
  readonly backend: SimulatedBackend
  readonly instance: number
}

/** Ends in the order of their times: a binary heap. */
class Ends {
  readonly #heap: End[] = []

  get next(): number {
    return this.#heap[0]?.at ?? Infinity
  }

  add(end: End): void {
    const heap = this.#heap
    let index = heap.push(end) - 1
    for (let parent = (index - 1) >> 1; index > 0 && heap[parent]!.at > end.at; parent = (index - 1) >> 1) {
      heap[index] = heap[parent]!
      index = parent
    }
    heap[index] = end
  }

  take(): End {
    const heap = this.#heap
    const first = heap[0]!
    const last = heap.pop()!
    if (heap.length === 0) return first
    let index = 0
    for (let child = 1; child < heap.length; child = 2 * index + 1) {
      if (child + 1 < heap.length && heap[child + 1]!.at < heap[child]!.at) child++
      if (heap[child]!.at >= last.at) break
      heap[index] = heap[child]!
      index = child
    }
    heap[index] = last
    return first
  }
}

/** Times of all requests in ms, sorted. */
export function latencies({ policy, knows, instances, backends, slots, load }: Setting, seed: number): Float64Array {
  const [arrivals, sizes, choices] = [seeded(seed), seeded(seed + 1), seeded(seed + 2)]
  const work = drawing('exponential', sizes)
  const all = backends.map((mean) => new SimulatedBackend(mean, slots, instances))
  const gap = 1 / (load * all.reduce((sum, { mean }) => sum + slots / mean, 0))
  const ends = new Ends()
  const times = new Float64Array(requests)
  const turns = Array.from({ length: instances }, () => 0)
  const known = (backend: SimulatedBackend, instance: number) => {
    if (knows === 'own') return backend.own[instance]!
    if (knows === 'all') return backend.all
    return backend.told.reduce((sum, told) => sum + told, 0) - backend.told[instance]! + backend.own[instance]!
  }
  const least = (instance: number) => {
    const first = turns[instance]!++ % all.length
    let best = all[first]!
    for (let index = 1; index < all.length; index++) {
      const one = all[(first + index) % all.length]!
      if (known(one, instance) < known(best, instance)) best = one
    }
    return best
  }
  const better = (instance: number) => {
    const first = Math.floor(choices() * all.length)
    const second = (first + 1 + Math.floor(choices() * (all.length - 1))) % all.length
    return known(all[second]!, instance) < known(all[first]!, instance) ? all[second]! : all[first]!
  }
  // Each tells at a time of its own.
  const tells = Array.from({ length: instances }, (_, index) => (index * gossipEvery) / instances)
  let now = 0
  for (let count = 0; count < requests; count++) {
    now -= Math.log(1 - arrivals()) * gap
    for (;;) {
      const teller = tells.indexOf(Math.min(...tells))
      if (Math.min(ends.next, tells[teller]!) > now) break
      if (ends.next <= tells[teller]!) {
        const { backend, instance } = ends.take()
        backend.own[instance]!--
        backend.all--
      } else {
        for (const { own, told } of all) told[teller] = own[teller]!
        tells[teller]! += gossipEvery
      }
    }
    const instance = Math.floor(arrivals() * instances)
    const backend = policy === 'p2c' ? better(instance) : least(instance)
    backend.own[instance]!++
    backend.all++
    const at = backend.serve(now, work())
    times[count] = at - now
    ends.add({ at, backend, instance })
  }
  return times.subarray(warmUp).sort()
}
