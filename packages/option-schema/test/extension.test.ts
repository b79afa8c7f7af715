import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Extension } from '../src/index.ts'

interface Part {
  readonly of: string
}

const newExtension = () =>
  new Extension<Part>({
    key: 'lamp',
    words: 'lamp',
    one: 'lamp',
    all: 'lamps',
    badOptions: (fault) => new TypeError(fault),
    none: (balancer) => new RangeError(balancer),
  })

/** An app with these balancers, the first of which is the default one; decorated as Fastify would be. */
function appWith(...names: string[]) {
  const balancers = new Map(names.map((name) => [name, { name, extensions: new Map<string, unknown>() }]))
  const app = {
    balancers,
    balancer: balancers.get(names[0]!)!,
    hasDecorator: (name: string) => Object.hasOwn(app, name),
    decorate(name: string, { getter }: { getter(): unknown }) {
      assert.ok(!Object.hasOwn(app, name), `${name} is decorated once`)
      Object.defineProperty(app, name, { get: getter })
    },
  }
  return app as typeof app & { readonly lamp: Part; readonly lamps: ReadonlyMap<string, Part> }
}

test('an extension is found on the app, for each balancer that has one, whoever has added it', () => {
  const app = appWith('a', 'b', 'c')
  const extension = newExtension()
  extension.add(app, extension.balancerFor(app, 'b'), { of: 'b' })
  assert.throws(() => app.lamp, new RangeError('a'))
  // Another copy of the package keeps no state of its own.
  const copy = newExtension()
  copy.add(app, copy.balancerFor(app, undefined), { of: 'a' })
  assert.deepEqual(app.lamp, { of: 'a' })
  assert.deepEqual(
    [...app.lamps],
    [
      ['a', { of: 'a' }],
      ['b', { of: 'b' }],
    ],
  )
})

test('a balancer that there is not, and one that has this extension already, are refused by name', () => {
  const app = appWith('a', 'b')
  const extension = newExtension()
  extension.add(app, extension.balancerFor(app, 'a'), { of: 'a' })
  assert.throws(() => extension.balancerFor(app, 'c'), new TypeError("balancer: there is no balancer 'c', only: a, b"))
  for (const name of ['a', undefined])
    assert.throws(() => extension.balancerFor(app, name), new TypeError("balancer: 'a' already has a lamp"))
})
