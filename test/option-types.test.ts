import { AdaptiveLimitOptions } from '@fastify-balancer/adaptive-limit'
import { AdminRoutesOptions } from '@fastify-balancer/admin-routes'
import { BackendOptions, BalancerOptions as CoreOptions } from '@fastify-balancer/balancer-core'
import { CircuitBreakerOptions, RateOptions, type BackendCircuitOptions } from '@fastify-balancer/circuit-breaker'
import { DashboardOptions } from '@fastify-balancer/dashboard'
import { HealthCheckOptions } from '@fastify-balancer/health-check'
import { MetricsOptions } from '@fastify-balancer/metrics'
import type { BalancerOptions } from 'fastify-balancer'
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Given } from '../packages/option-schema/src/index.ts'
import { CircuitSettings } from '../packages/circuit-breaker/src/backend/circuit-settings.ts'
import { FacadeDashboardOptions } from '../packages/fastify-balancer/src/plugin/dashboard-options.ts'
import { UnderPressureOptions } from '../packages/fastify-balancer/src/plugin/under-pressure.ts'
import { generatedFiles, generatedTypes } from './option-types.ts'
import { defaultOf, type OptionSchema } from './support/interface-text.ts'
import { LanguageServer } from './support/language-server.ts'

const root = join(import.meta.dirname, '..')

/** A type without `readonly` and without its name, so that two can be compared part by part. */
type Parts<T> = T extends (...parameters: never[]) => unknown
  ? T
  : T extends readonly (infer Item)[]
    ? readonly Parts<Item>[]
    : T extends object
      ? { readonly [Name in keyof T]: Parts<T[Name]> }
      : T

/* oxlint-disable typescript/no-unnecessary-type-parameters -- not known yet, it makes the compiler compare part by part */
/** `true` if the compiler holds both for the same, to the last part. */
type IsSame<One, Other> =
  (<T>() => T extends Parts<One> ? 1 : 2) extends <T>() => T extends Parts<Other> ? 1 : 2 ? true : false
/* oxlint-enable typescript/no-unnecessary-type-parameters */

/** Compiles if it is given `true` of each. */
function proven(..._all: true[]): void {}

test('what is written is what the schemas say', () => {
  for (const [file, text] of generatedFiles())
    assert.equal(readFileSync(file, 'utf8'), text, `${relative(root, file)}: node test/option-types.ts --write`)
})

test('each type is that of its schema: else this file does not compile', () => {
  proven(true satisfies IsSame<BackendOptions, Given<typeof BackendOptions> & { url: string }>)
  proven(true satisfies IsSame<CoreOptions, Given<typeof CoreOptions>>)
  proven(true satisfies IsSame<HealthCheckOptions, Given<typeof HealthCheckOptions>>)
  proven(true satisfies IsSame<RateOptions, Given<typeof RateOptions>>)
  proven(true satisfies IsSame<BackendCircuitOptions, Given<typeof CircuitSettings>>)
  proven(true satisfies IsSame<CircuitBreakerOptions, Given<typeof CircuitBreakerOptions>>)
  proven(true satisfies IsSame<AdaptiveLimitOptions, Given<typeof AdaptiveLimitOptions>>)
  proven(true satisfies IsSame<MetricsOptions, Given<typeof MetricsOptions>>)
  proven(true satisfies IsSame<AdminRoutesOptions, Given<typeof AdminRoutesOptions>>)
  proven(true satisfies IsSame<DashboardOptions, Given<typeof DashboardOptions>>)
  proven(true satisfies IsSame<FacadeDashboardOptions, Given<typeof FacadeDashboardOptions>>)
  proven(true satisfies IsSame<UnderPressureOptions, Given<typeof UnderPressureOptions>>)
  // @ts-expect-error: what differs in one part, deep within, is not the same
  proven(true satisfies IsSame<{ a: { b?: number | false } }, { a: { b?: number } }>)
  // @ts-expect-error: nor is what has one part more
  proven(true satisfies IsSame<{ a: { b?: number } }, { a: { b?: number; c?: number } }>)
  // @ts-expect-error: nor is what may be left out
  proven(true satisfies IsSame<{ a: { b?: number } }, { a: { b: number } }>)
  const all: BalancerOptions = {} satisfies CoreOptions
  assert.deepEqual(all, {})
})

/** An option as a program gives it, on a line of its own. */
interface Hovered {
  readonly path: string
  readonly schema: OptionSchema
  readonly line: number
  readonly character: number
}

/** A program that gives every option; `lines` grow with it. */
function giveAll(schema: OptionSchema, lines: string[], hovered: Hovered[], path = ''): void {
  const indent = '  '.repeat(path.split('.').length)
  for (const [name, option] of Object.entries(schema.properties ?? {})) {
    const at = `${path}${name}`
    hovered.push({ path: at, schema: option, line: lines.length, character: indent.length })
    const parts = partsOf(name, option)
    if (parts === undefined) lines.push(`${indent}${name}: undefined!,`)
    else if (name === 'backends') {
      const [open, close] = parts === BackendOptions ? ['[{', '}]'] : ['{ one: {', '} }']
      lines.push(`${indent}${name}: ${open}`)
      giveAll(parts, lines, hovered, `${at}.`)
      lines.push(`${indent}${close},`)
    } else {
      lines.push(`${indent}${name}: {`)
      giveAll(parts, lines, hovered, `${at}.`)
      lines.push(`${indent}},`)
    }
  }
}

/** The options within an option. Where code stands for them, they have a schema of their own. */
function partsOf(name: string, option: OptionSchema): OptionSchema | undefined {
  if (name === 'backends') return option.type === 'array' ? BackendOptions : CircuitSettings
  if (name === 'rate') return RateOptions
  return option.properties === undefined ? option.anyOf?.find((one) => one.properties !== undefined) : option
}

const programs = generatedTypes
  .filter(({ name, source }) => name === 'BalancerOptions' || source.endsWith('src/options.ts'))
  .filter(({ name }) => !name.endsWith('Settings'))
  .map(({ schema, source, name }) => ({ schema, name, folder: source.split('/')[0]! }))

/** To `register`, these may be Fastify's own: its type has a `prefix`, too, and a function instead of options has a `name`. */
const alsoFastify = new Set(['name', 'prefix'])

/** What is counted, or is a share of something, has no unit but what the text says it is. */
const countOrShare =
  /\b(?:attempts|backends|connects|connections|deviations|streams|failures|at random|how many|how often|port|priority|probes|requests|responses|retries|share|statuses|successes|trials|times|traffic|events|clients|part of the time|preferred)\b/i
const unit = /\b(?:ms|s|bytes|seconds)\b|%|0–1/

describe('an editor shows what an option is, its unit and its default', () => {
  let editor: LanguageServer
  before(async () => {
    editor = await LanguageServer.start(root)
  })
  after(() => editor.close())

  for (const { schema, name, folder } of programs)
    test(folder, async () => {
      const module = folder === 'fastify-balancer' ? folder : `@fastify-balancer/${folder}`
      const hovered: Hovered[] = []
      const lines = [`import plugin, { type ${name} } from '${module}'`, "import Fastify from 'fastify'"]
      lines.push(`export const options: ${name} = {`)
      giveAll(schema, lines, hovered)
      // The PROXY protocol is no plugin.
      const given =
        folder === 'proxy-protocol' ? 'Fastify({ serverFactory: plugin({' : 'await Fastify().register(plugin, {'
      lines.push('}', given)
      const alone = hovered.length
      giveAll(schema, lines, hovered)
      lines.push(folder === 'proxy-protocol' ? '}) })' : '})', '')
      const file = join(root, 'test', `program-with-${folder}.ts`)
      editor.open(file, lines.join('\n'))
      assert.ok(hovered.length >= 4)
      for (const [index, { path, schema: option, line, character }] of hovered.entries()) {
        if (index >= alone && alsoFastify.has(path)) continue
        const shown = await editor.hover(file, line, character)
        const text = shown.replaceAll(/\s+/g, ' ')
        assert.ok(text.includes(option.description!), `${path}: ${shown}`)
        const isNeeded = /(?:\.url|^from|^(?:mirror\.)?to|^sticky\.secret)$/.test(path)
        const byDefault = isNeeded ? undefined : defaultOf(option)
        if (byDefault !== undefined) assert.ok(text.endsWith(`*@default* — ${byDefault}`), `${path}: ${shown}`)
        if (option.type === 'number' || option.type === 'integer')
          assert.ok(unit.test(option.description!) || countOrShare.test(option.description!), `${path}: ${shown}`)
      }
    })
})
