import type { PickRequest } from '@fastify-balancer/balancer-core'
import { faultsOf, strict } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'

/** A key by code; undefined or '' if the request has none. */
export type KeyFunction = (request: PickRequest) => string | undefined

const prefix = (family: string, longest: number) =>
  Type.Optional(Type.Integer({ minimum: 1, maximum: longest, description: `Bits of an ${family} address that count` }))

const name = (description: string) => Type.String({ minLength: 1, description })

const parts = [
  Type.Object({ header: name('The name of a header') }, strict),
  Type.Object({ cookie: name('The name of a cookie') }, strict),
  Type.Object({ query: name('The name of a parameter in the query') }, strict),
  Type.Object(
    {
      path: Type.Union([Type.Literal(true), Type.Integer({ minimum: 1 })], {
        description: '`true` = the whole path without the query, or so many of its segments',
      }),
    },
    strict,
  ),
  Type.Object(
    {
      address: Type.Union(
        [Type.Literal(true), Type.Object({ v4: prefix('IPv4', 32), v6: prefix('IPv6', 128) }, strict)],
        {
          description: "`true` = the client's address, or so many of its bits: `{ v4: 24, v6: 56 }`",
        },
      ),
    },
    strict,
  ),
  Type.Object(
    {
      body: Type.Union([Type.Literal(true), Type.Integer({ minimum: 1, maximum: 65_536 })], {
        description: '`true` = the first 1024 bytes of the body, or so many',
      }),
    },
    strict,
  ),
] as const

const keyFunction = Type.Unsafe<KeyFunction>(
  Type.Function([], Type.Any(), { description: 'A function of the request that answers the key' }),
)

const expected = '{ header | cookie | query | path | address | body: … }, a function, or a list of these'

/** What a request is recognised by. */
export type KeyPart = Static<(typeof parts)[number]> | KeyFunction

/** What the setting `key` takes: one, or several of which the first that a request has is taken. */
export type KeyOption = KeyPart | readonly KeyPart[]

const schema = Type.Union(
  [...parts, keyFunction, Type.Array(Type.Union([...parts, keyFunction], { expected }), { minItems: 1 })],
  { expected },
)

/** The setting `key`. Its parts have no defaults, and a function cannot be copied: so it is checked by `keyFaults`. */
export const key = Type.Optional(
  Type.Unsafe<KeyOption>(
    Type.Any({
      description:
        "What decides: `{ header }`, `{ cookie }`, `{ query }`, `{ path }`, `{ address }`, `{ body }`, a function, or a list of which the first that a request has is taken; by default the client's address",
      inFile: schema,
    }),
  ),
)

/** What is wrong with the setting. */
export function keyFaults(given: KeyOption | undefined): readonly string[] {
  return given === undefined ? [] : faultsOf(schema, given, 'key')
}
