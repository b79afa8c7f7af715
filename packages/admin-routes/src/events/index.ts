export { BalancerEvent } from './event.ts'
export { EventsOptions } from './options.ts'
export { registerEvents } from './route.ts'
