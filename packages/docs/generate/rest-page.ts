import adminRoutes from '@fastify-balancer/admin-routes'
import balancer from '@fastify-balancer/balancer-core'
import circuitBreaker from '@fastify-balancer/circuit-breaker'
import healthCheck from '@fastify-balancer/health-check'
import swagger from '@fastify/swagger'
import Fastify from 'fastify'
import * as views from '../../admin-routes/src/schemas/views.ts'
import { anchored, code, page, table } from './markdown.ts'
import { formOf, type BoundedSchema } from './option-form.ts'

/** What of an operation of the OpenAPI document is shown. */
interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly parameters?: readonly {
    readonly name: string
    readonly in: string
    readonly description?: string
    readonly schema: BoundedSchema
  }[]
  readonly requestBody?: { readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>
}

type Content = Readonly<Record<string, { readonly schema: BoundedSchema }>>

/** Shapes that several operations answer, by the names of their properties. */
const shapes = new Map(
  Object.entries(views as Readonly<Record<string, BoundedSchema>>)
    .filter(([, { properties }]) => properties !== undefined)
    .map(([name, { properties }]) => [Object.keys(properties!).join(), name.replace(/View$/, '')]),
)

const shapeOf = ({ properties }: BoundedSchema) =>
  properties === undefined ? undefined : shapes.get(Object.keys(properties).join())

/** A type, with links to the shapes. */
function typeOf(name: string, schema: BoundedSchema): string {
  const { items, anyOf, properties } = schema
  const shape = shapeOf(schema)
  if (shape !== undefined) return `[${shape}](#${shape.toLowerCase()})`
  if (items !== undefined && items.properties !== undefined) return `list of ${typeOf(name, items)}`
  if (anyOf?.some((one) => one.properties !== undefined) === true)
    return anyOf.map((one) => typeOf(name, one)).join(' or ')
  return properties === undefined ? code(formOf(name, schema, []) || 'any') : 'object'
}

/** The properties of an object, those of nested ones included unless they have a name. */
function rowsOf({ properties = {} }: BoundedSchema, path = ''): string[][] {
  return Object.entries(properties).flatMap(([name, schema]) => {
    const inner = schema.items?.properties === undefined ? schema : schema.items
    const own = [code(`${path}${name}`), typeOf(name, schema), schema.description ?? '']
    const isNamed = shapeOf(inner) !== undefined
    return isNamed ? [own] : [own].concat(rowsOf(inner, `${path}${name}${inner === schema ? '.' : '[].'}`))
  })
}

const fieldTable = (schema: BoundedSchema) => table(['property', 'type', 'meaning'], rowsOf(schema))

/** `/_balancer/balancers/{name}` is `/balancers/:name`, as everywhere else. */
const readable = (path: string) => path.replace('/_balancer', '').replaceAll(/\{(\w+)\}/g, ':$1')

/** Never called: with it, the route is there. */
const reload = () => Promise.reject(new Error('nothing to reload'))

/** The OpenAPI document of everything that the admin routes can serve. */
async function operations(): Promise<readonly (readonly [string, Operation])[]> {
  const app = Fastify()
  await app.register(swagger, { openapi: { openapi: '3.1.0', info: { title: 'admin', version: '1' } } })
  await app.register(balancer, { backends: ['http://127.0.0.1:1'] })
  await app.register(healthCheck, { initial: 'up' })
  await app.register(circuitBreaker)
  await app.register(adminRoutes, { insecure: true, reload })
  await app.ready()
  const { paths } = JSON.parse(JSON.stringify(app.swagger())) as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  }
  await app.close()
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(
      ([method, operation]) => [`${method.toUpperCase()} ${readable(path)}`, operation] as const,
    ),
  )
}

function bodyPart(content: Content | undefined, isRequest: boolean): string[] {
  const [[type, { schema }] = ['', { schema: {} as BoundedSchema }]] = Object.entries(content ?? {})
  if (type === '' || type === 'text/event-stream') return []
  const what = isRequest ? 'Body' : 'Answer'
  if (shapeOf(schema) !== undefined || schema.properties === undefined) return [`${what}: ${typeOf('', schema)}.`]
  return [`${what}:`, fieldTable(schema)]
}

function operationPart([route, operation]: readonly [string, Operation]): string[] {
  const { operationId, summary, parameters = [], requestBody, responses } = operation
  const asked = parameters.filter((one) => one.in !== 'path')
  const good = Object.entries(responses).find(([status]) => status.startsWith('2'))
  return [
    `### ${anchored(operationId, route)}`,
    `${summary}.`,
    ...(asked.length === 0
      ? []
      : [
          table(
            ['parameter', 'in', 'values', 'meaning'],
            asked.map(({ name, in: where, schema, description }) => [
              code(name),
              where,
              code(formOf(name, schema, [])),
              description ?? schema.description ?? '',
            ]),
          ),
        ]),
    ...bodyPart(requestBody?.content, true),
    ...bodyPart(good?.[1].content, false),
    table(
      ['status', 'meaning'],
      Object.entries(responses).map(([status, { description }]) => [status, description]),
    ),
  ]
}

/** Every route of the admin API, and the shapes of what it answers. */
export async function restPage(): Promise<string> {
  const all = await operations()
  const about = [
    'Routes of [admin-routes](../../admin-routes/README.md), below their `prefix`, `/_balancer` unless you say otherwise. Bodies are JSON. An id that is a URL must be encoded: `http%3A%2F%2F10.0.0.1%3A3000`.',
    'Registered before, `@fastify/swagger` has all of it in its OpenAPI document, from which this page is made.',
  ].join(' ')
  const named = Object.entries(views as Readonly<Record<string, BoundedSchema>>).filter(
    ([, schema]) => shapeOf(schema) !== undefined,
  )
  return page(
    'REST',
    about,
    table(
      ['route', 'does'],
      all.map(([route, { operationId, summary }]) => [`[${route}](#${operationId})`, summary]),
    ),
    '## Routes',
    ...all.flatMap(operationPart),
    '## Shapes',
    ...named.flatMap(([, schema]) => [`### ${shapeOf(schema)!}`, schema.description ?? '', fieldTable(schema)]),
  )
}
