import { Type } from '@sinclair/typebox'

const Options = (description: string) => Type.Record(Type.String(), Type.Unknown(), { description })

/** The options of a balancer that are in force. */
export const ConfigurationView = Type.Object({
  name: Type.String(),
  options: Options(
    'Options of the balancer, with defaults; without `backends`, which may have changed since. Secrets are `(hidden)`, functions `[function name]`',
  ),
  extensions: Type.Record(Type.String(), Options('Options of one extension'), {
    description:
      'The same of its extensions that are in use: `health-check`, `circuit-breaker`, `adaptive-limit`, `mirror`, …',
  }),
  backends: Type.Array(Options('Options of one backend'), { description: 'The list in force' }),
})
