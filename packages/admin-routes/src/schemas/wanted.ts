import { strict } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'

const settings = {
  weight: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 65_535, description: 'Its share of the traffic, relative to the others' }),
  ),
  priority: Type.Optional(Type.Integer({ minimum: 0, maximum: 65_535, description: 'Lower is preferred' })),
  maxInFlight: Type.Optional(Type.Integer({ minimum: 1, description: 'Requests at once' })),
  zone: Type.Optional(Type.String({ description: 'Where it runs' })),
  tags: Type.Optional(Type.Array(Type.String(), { description: 'Labels' })),
}

/** A backend as it is described to the balancer. */
export const WantedBackend = Type.Object(
  {
    url: Type.String({ description: 'Its origin: `http://` or `https://`, host, port; no path' }),
    id: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        description:
          'Its name; the origin if none is given. One longer than the app’s `maxParamLength` (100, if not set) is refused: no path could name it',
      }),
    ),
    ...settings,
  },
  strict,
)
/** A backend as it is described to the balancer. */
export type WantedBackend = Static<typeof WantedBackend>

/** The same as a body: an object, of which the balancer itself says what is wrong, for it names every fault. */
export const AddedBackend = Type.Unsafe<WantedBackend>({ ...Type.Object({}), anyOf: [WantedBackend] })

/** What may change while a backend stays the same backend. */
export const BackendPatch = Type.Object(settings, { ...strict, minProperties: 1 })
/** What may change while a backend stays the same backend. */
export type BackendPatch = Static<typeof BackendPatch>

/** The same as a body, whose faults are looked for together with those of the list. */
export const GivenPatch = Type.Unsafe<BackendPatch>({ ...Type.Object({}, { minProperties: 1 }), anyOf: [BackendPatch] })

/** The whole list. Of its items, the balancer itself says what is wrong: it names every fault with its place. */
export const WantedBackends = Type.Object(
  {
    backends: Type.Array(
      Type.Unsafe<string | WantedBackend>({
        ...Type.Any({ description: 'An origin, or an object' }),
        anyOf: [Type.String(), WantedBackend],
      }),
    ),
  },
  strict,
)
