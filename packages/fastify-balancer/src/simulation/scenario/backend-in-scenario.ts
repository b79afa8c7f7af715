import { BackendOptions } from '@fastify-balancer/balancer-core'
import { milliseconds, strict } from '@fastify-balancer/option-schema'
import { Type, type Static, type TSchema } from '@sinclair/typebox'
import { ServingOptions } from './serving-options.ts'

/** A time of the scenario. */
const time = (description: string) =>
  Type.Number({ minimum: 0, description: `${description} (ms from the beginning of the traffic)` })
const span = (description: string) => Type.Number({ exclusiveMinimum: 0, description: `${description} (ms)` })

const from = { from: time('When it begins') }
const to = { to: Type.Optional(time('When it ends. Default: never')) }

/** A list that may be given in part; `[]` if it is not. */
const list = <Item extends TSchema>(item: Item, description: string) => Type.Array(item, { default: [], description })

const { weight, priority, maxInFlight, zone, tags } = BackendOptions.properties

/** A backend of a scenario, or several that are alike. */
export const BackendInScenario = Type.Object(
  {
    id: Type.Optional(
      Type.String({ minLength: 1, maxLength: 200, description: 'Its name. Default: `backend-1` and so on' }),
    ),
    count: Type.Integer({
      minimum: 1,
      maximum: 10_000,
      default: 1,
      description: 'How many there are of it. With more than one, their names are `id` with `-1`, `-2` and so on',
    }),
    slots: Type.Integer({
      minimum: 1,
      default: 16,
      description: 'How many requests it serves at once; more wait in its own queue, first come, first served',
    }),
    service: ServingOptions,
    delay: Type.Number({ minimum: 0, default: 0, description: 'Round trip of the network to it (ms)' }),
    weight,
    priority,
    maxInFlight,
    zone,
    tags,
    pauses: Type.Optional(
      Type.Object(
        {
          every: span('From the beginning of one pause to that of the next'),
          for: span('How long a pause lasts'),
          from: Type.Optional(time('When the first begins. Default: `every`')),
        },
        { ...strict, description: 'Regular pauses, e.g. of its garbage collector' },
      ),
    ),
    slow: list(
      Type.Object(
        {
          ...from,
          ...to,
          factor: Type.Number({ exclusiveMinimum: 0, description: 'How many times as long everything takes' }),
          every: Type.Optional(span('It comes again after this time, from one beginning to the next. Default: once')),
        },
        strict,
      ),
      'Times in which it is slower, e.g. because of others on its machine',
    ),
    down: list(
      Type.Object({ ...from, ...to }, strict),
      'Times in which it does not run: what it had is lost, and connections are refused',
    ),
    failures: Type.Optional(
      Type.Object(
        {
          share: Type.Number({ minimum: 0, maximum: 1, description: 'Share of requests that fail' }),
          status: Type.Integer({ minimum: 400, maximum: 599, default: 503, description: 'Their status' }),
          after: milliseconds('How long they take in place of their service time', 1),
        },
        { ...strict, description: 'Requests that it answers with an error' },
      ),
    ),
  },
  strict,
)

/** One backend of a scenario. */
export type BackendInScenario = Static<typeof BackendInScenario>
