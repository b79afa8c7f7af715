import { parentPort, workerData } from 'node:worker_threads'
import { now } from '../monotonic.ts'
import type { Alarm } from './alarm-clock.ts'

const { time, changes } = workerData as Alarm

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- to a thread, not to a window
parentPort!.postMessage('ready')
for (let rung = 0; ;) {
  const change = Atomics.load(changes, 0)
  const wait = change === rung ? Infinity : time[0]! - now()
  // Returns at once if it has been set again meanwhile.
  if (wait > 0) Atomics.wait(changes, 0, change, wait)
  else {
    rung = change
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- to a thread, not to a window
    parentPort!.postMessage('ring')
  }
}
