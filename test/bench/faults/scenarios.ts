import { setTimeout as delay } from 'node:timers/promises'
import type { Backend, Conduct } from './backend.ts'
import { now } from '../monotonic.ts'
import { refusals, UnseenArrivals, unread } from './unseen.ts'

/** What happened, and what backends got meanwhile. Times in ms, monotonic. */
export interface Course {
  /** The fault. */
  readonly since: number
  /** Requests that reached the one that is sick. */
  readonly sick?: readonly number[]
  /** Requests that reached each of those that are well, or well again. */
  readonly well?: readonly (readonly number[])[]
  /** When all backends were there again. */
  readonly returned?: number
}

/** A way to be sick. */
export interface FaultScenario {
  readonly name: string
  readonly title: string
  /** Which figures say something about it. */
  readonly shows: 'sickness' | 'flapping' | 'outage'
  /** Refused connections are counted in it, and it matters whether others are refused any. */
  readonly countsRefusals?: boolean
  /** Makes backends sick now, and watches until then (ms, monotonic). */
  play(backends: readonly Backend[], until: number): Promise<Course>
}

/** ms that the one that flaps is down, and then up. */
const flapping = 1500
/** ms */
const outage = 5000

const reach = (time: number) => delay(Math.max(0, time - now()))

async function kill([sick]: readonly Backend[], until: number): Promise<Course> {
  const watch = new UnseenArrivals(refusals())
  const since = now()
  await sick!.kill()
  await reach(until)
  return { since, sick: watch.end() }
}

async function stop([sick]: readonly Backend[], until: number): Promise<Course> {
  const since = now()
  sick!.suspend()
  const watch = new UnseenArrivals(unread(sick!.port))
  await reach(until)
  return { since, sick: watch.end() }
}

const behave =
  (conduct: Conduct) =>
  async ([sick]: readonly Backend[], until: number): Promise<Course> => {
    const since = await sick!.conduct(conduct)
    await reach(until)
    return { since, sick: await sick!.arrivals() }
  }

async function flap([sick, ...well]: readonly Backend[], until: number): Promise<Course> {
  const since = now()
  for (let next = since; next < until; next += 2 * flapping) {
    await sick!.kill()
    await reach(Math.min(next + flapping, until))
    await sick!.start()
    await reach(Math.min(next + 2 * flapping, until))
  }
  return { since, well: await Promise.all(well.map((backend) => backend.arrivals())) }
}

async function failWholly(backends: readonly Backend[], until: number): Promise<Course> {
  const since = now()
  await Promise.all(backends.map((backend) => backend.kill()))
  await reach(since + outage)
  await Promise.all(backends.map((backend) => backend.start()))
  const returned = now()
  await reach(until)
  return { since, returned, well: await Promise.all(backends.map((backend) => backend.arrivals())) }
}

/** Everything that is done to the backends. */
export const scenarios: readonly FaultScenario[] = [
  {
    name: 'kill',
    title: 'One of four is killed: connections are refused',
    shows: 'sickness',
    countsRefusals: true,
    play: kill,
  },
  { name: 'stop', title: 'One of four hangs: it accepts, but never answers', shows: 'sickness', play: stop },
  {
    name: 'errors',
    title: 'One of four answers 500 in 1 ms; its probes succeed',
    shows: 'sickness',
    play: behave('errors'),
  },
  {
    name: 'slow',
    title: 'One of four takes 20 × as long; its probes succeed',
    shows: 'sickness',
    play: behave('slow'),
  },
  { name: 'flap', title: 'One of four is down for 1.5 s, up for 1.5 s, and so on', shows: 'flapping', play: flap },
  { name: 'outage', title: 'All four are killed, and come back after 5 s', shows: 'outage', play: failWholly },
]
