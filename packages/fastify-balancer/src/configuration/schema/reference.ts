// Room `configuration/schema`: what may stand in a file: every option of the plugins, and what a file has in place of code and secrets.
import { strict } from '@fastify-balancer/option-schema'
import { Type, type TSchema } from '@sinclair/typebox'

/**
 * What a value of a file stands for, where it is not the value itself: a secret, the content of a file, what a module
 * exports, a file that is read, or a path that need not be there yet.
 */
export type Role = 'secret' | 'content' | 'module' | 'file' | 'path'

const roleKey = Symbol('role')

/** The schema, for values in that role. */
function withRole<Schema extends TSchema>(schema: Schema, role: Role): Schema {
  return { ...schema, [roleKey]: role }
}

/** The role of the values of a schema, if they have one. */
export function roleOf(schema: TSchema): Role | undefined {
  return (schema as { readonly [roleKey]?: Role })[roleKey]
}

/** `{ file: /run/secrets/token }`: the text of a file. */
const content = withRole(
  Type.Object({ file: Type.String({ minLength: 1, description: 'The path of the file that holds it' }) }, strict),
  'content',
)

/** A text that is never shown, or the file that holds it. */
export const secret = (description: string, kind: { minLength?: number } = {}) =>
  Type.Union([withRole(Type.String(kind), 'secret'), content], { description })

/** The path of a file that must be there. */
export const file = (description: string) => withRole(Type.String({ minLength: 1, description }), 'file')

/** A path of something that need not be there yet. */
export const path = (description: string) => withRole(Type.String({ minLength: 1, description }), 'path')

/** `{ module: ./rewrite.js, export: request }`: what a module exports, for what can only be code. */
export const moduleExport = (description?: string) =>
  withRole(
    Type.Object(
      {
        module: Type.String({ minLength: 1, description: 'The path of an ES module' }),
        export: Type.Optional(
          Type.String({ minLength: 1, default: 'default', description: 'The name of what it exports' }),
        ),
      },
      { ...strict, ...(description !== undefined && { description }) },
    ),
    'module',
  )
