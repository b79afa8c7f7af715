import { Type } from '@sinclair/typebox'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serializerCompiler, validatorCompiler } from '../../src/requests/compilers.ts'

const schema = Type.Object({ a: Type.Integer(), b: Type.Optional(Type.Boolean()) }, { additionalProperties: false })
const place = { url: '/', method: 'GET' }

test('what the schema does not name is not written', () => {
  const write = serializerCompiler({ ...place, schema, httpStatus: '200' })
  assert.equal(write({ a: 1, password: 'x', toJSON: undefined }), '{"a":1}')
  const either = serializerCompiler({ ...place, schema: Type.Union([Type.String(), schema]), httpStatus: '200' })
  assert.equal(either('x'), '"x"')
})

test('text is converted where all is text, and nowhere else', () => {
  const check = (httpPart: string, given: unknown) => validatorCompiler({ ...place, schema, httpPart })(given)
  assert.deepEqual(check('querystring', { a: '1', b: 'true' }), { value: { a: 1, b: true } })
  for (const a of ['1e4', '0x10', '1.5', ' 1', '', 'true', '9'.repeat(400)])
    assert.ok('error' in (check('querystring', { a }) as object), a)
  for (const b of ['1', 'yes', 'TRUE', '']) assert.ok('error' in (check('querystring', { a: '1', b }) as object), b)
  const { error } = check('body', { a: '1', c: 1 }) as { error: Error & { faults: string[] } }
  assert.deepEqual(error.faults, ['c: unknown option (there are: a, b)', "a: expected a whole number, got '1'"])
})
