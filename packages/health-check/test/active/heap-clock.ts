import type { Clock } from '@fastify-balancer/balancer-core'

interface Alarm {
  readonly due: number
  readonly order: number
  readonly ring: () => void
}

/** A clock that stands still until the test moves it, as `ManualClock`, for tens of thousands of timers. */
export class HeapClock implements Clock {
  #time = 0
  #order = 0
  readonly #heap: Alarm[] = []
  readonly #cleared = new Set<unknown>()

  now(): number {
    return this.#time
  }

  setTimeout(callback: () => void, delay: number): unknown {
    const alarm: Alarm = { due: this.#time + delay, order: this.#order++, ring: callback }
    this.#heap.push(alarm)
    this.#rise(this.#heap.length - 1)
    return alarm
  }

  clearTimeout(timer: unknown): void {
    if (timer !== undefined) this.#cleared.add(timer)
  }

  advance(duration: number): void {
    const target = this.#time + duration
    while (this.#heap.length > 0 && this.#heap[0]!.due <= target) {
      const alarm = this.#takeFirst()
      if (this.#cleared.delete(alarm)) continue
      this.#time = Math.max(this.#time, alarm.due)
      alarm.ring()
    }
    this.#time = target
  }

  #isBefore(a: Alarm, b: Alarm): boolean {
    return a.due < b.due || (a.due === b.due && a.order < b.order)
  }

  #swap(a: number, b: number): void {
    const heap = this.#heap
    ;[heap[a], heap[b]] = [heap[b]!, heap[a]!]
  }

  #rise(index: number): void {
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!this.#isBefore(this.#heap[index]!, this.#heap[parent]!)) return
      this.#swap(index, parent)
      index = parent
    }
  }

  #takeFirst(): Alarm {
    const heap = this.#heap
    const first = heap[0]!
    const last = heap.pop()!
    if (heap.length > 0) {
      heap[0] = last
      let index = 0
      for (;;) {
        let least = index
        for (const child of [2 * index + 1, 2 * index + 2]) {
          if (child < heap.length && this.#isBefore(heap[child]!, heap[least]!)) least = child
        }
        if (least === index) break
        this.#swap(index, least)
        index = least
      }
    }
    return first
  }
}
