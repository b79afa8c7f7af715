import { strict } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'

const settings = {
  weight: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 65_535, description: 'Its share of the traffic, relative to the others' }),
  ),
  priority: Type.Optional(Type.Integer({ minimum: 0, maximum: 65_535, description: 'Lower is preferred' })),
  maxInFlight: Type.Optional(Type.Integer({ minimum: 1, description: 'Maximum requests in flight' })),
  zone: Type.Optional(Type.String({ description: 'Where it runs' })),
  tags: Type.Optional(Type.Array(Type.String(), { description: 'Labels' })),
  protocol: Type.Optional(
    Type.Union([Type.Literal('http1'), Type.Literal('http2'), Type.Literal('h2c')], {
      description: 'HTTP/1.1, HTTP/2 over TLS, or HTTP/2 without TLS; by default that of `pool`',
    }),
  ),
}

/** A backend to be added: its URL and settings. */
export const WantedBackend = Type.Object(
  {
    url: Type.String({
      description: 'Its address: `http://` or `https://`, host, port, and a path if needed; or `unix:/run/app.sock`',
    }),
    id: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        description:
          'Unique id; by default its address. At most as long as the app’s `maxParamLength` (by default 100), since it is used in paths',
      }),
    ),
    ...settings,
    proxyProtocol: Type.Optional(
      Type.Union([Type.Literal('v1'), Type.Literal('v2')], {
        description: 'Version of the PROXY protocol in which its connections say who the client is',
      }),
    ),
  },
  strict,
)
/** A backend to be added: its URL and settings. */
export type WantedBackend = Omit<Static<typeof WantedBackend>, 'tags'> & { readonly tags?: readonly string[] }

/** The same as a body. The schema accepts any object, because the balancer itself checks it and names every fault. */
export const AddedBackend = Type.Unsafe<WantedBackend>({ ...Type.Object({}), anyOf: [WantedBackend] })

/** The settings of an existing backend that can be changed. */
export const BackendPatch = Type.Object(settings, { ...strict, minProperties: 1 })
/** The settings of an existing backend that can be changed. */
export type BackendPatch = Static<typeof BackendPatch>

/** The same as a body; its faults are checked together with those of the list. */
export const GivenPatch = Type.Unsafe<BackendPatch>({ ...Type.Object({}, { minProperties: 1 }), anyOf: [BackendPatch] })

/** The whole list. The balancer itself checks its entries, and names every fault with its place. */
export const WantedBackends = Type.Object(
  {
    backends: Type.Array(
      Type.Unsafe<string | WantedBackend>({
        ...Type.Any({ description: 'A URL, or an object' }),
        anyOf: [Type.String(), WantedBackend],
      }),
    ),
  },
  strict,
)
