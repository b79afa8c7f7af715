import { failures } from '@fastify-balancer/balancer-core'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { retries } from '../../../test/readme-tables.ts'
import { anchored, code, page, table } from './markdown.ts'
import { CommentedSource } from './source-comments.ts'

const packages = join(import.meta.dirname, '..', '..')

/** Every hook of a balancer. */
export function hookPage(): string {
  const hooks = new CommentedSource(join(packages, 'balancer-core/src/hooks.ts')).membersOf('BalancerHooks')
  const about =
    '`balancer.addHook(name, hook)` adds one, `removeHook` takes it away. Those called during a request are synchronous. A hook that throws is logged by name, and the request goes on. [How to write one](../guide/write-your-own.md#a-hook)'
  return page(
    'Hooks',
    about,
    ...hooks.flatMap(({ name, type, comment }) => [`## ${name}`, `\`\`\`text\n${type}\n\`\`\``, comment]),
  )
}

/** Every diagnostics channel of every package. */
export function channelPage(): string {
  const files = globSync('*/src/**/*.ts', { cwd: packages }).sort()
  const channels = files
    .filter((file) => readFileSync(join(packages, file), 'utf8').includes("from 'node:diagnostics_channel'"))
    .flatMap((file) => {
      const { 0: from = '' } = file.split('/')
      // Those of others are only read.
      return new CommentedSource(join(packages, file)).channels().filter(({ name }) => name.startsWith(`${from}:`))
    })
  const rows = channels.map(({ name, type, comment }) => [anchored(name, code(name)), code(type), comment])
  const about =
    'For observers: `subscribe(name, listener)` of `node:diagnostics_channel`. A channel without a subscriber costs one comparison. Do not change what you are given.'
  return page('Diagnostics channels', about, table(['channel', 'message', 'meaning'], rows))
}

/** Every way in which a request or an attempt can fail. */
export function failurePage(): string {
  const rows = Object.entries(failures).map(([reason, { status, blame, retry, message }]) => [
    anchored(reason, code(reason)),
    status === 499 ? '499, only logged' : String(status),
    blame,
    retries[retry],
    message,
  ])
  const about = [
    'The `outcome` of a request or an attempt is `ok`, or one of these reasons: in the log, in metrics, in `outcomes` of the API, and in the code of the error that your error handler gets',
    '(`no-backend` is `FST_BALANCER_NO_BACKEND`). *At fault* decides what counts: only faults of the backend concern health checks and circuits.',
    'What is *tried again on another backend* once it may have been processed needs a method of `retry.methods`; what never reached a backend does not.',
  ].join(' ')
  return page(
    'Failure reasons',
    about,
    table(['reason', 'status', 'at fault', 'tried again', 'the client is told'], rows),
  )
}

/** What the log holds, from the README whose tables are tested. */
export function logPage(): string {
  const readme = readFileSync(join(packages, 'balancer-core/README.md'), 'utf8')
  const tableOf = (name: string) =>
    new RegExp(`<!-- ${name}:start -->\n(.*?)\n<!-- ${name}:end -->`, 's').exec(readme)![1]!
  const [, levels] = /^(Levels: .*?)\n\n/ms.exec(readme)!
  return page(
    'Log',
    'With a logger, each forwarded request is one line, when it has ended, and each change of state is one line.',
    '## A request',
    tableOf('log-request'),
    levels!,
    '## Changes of state',
    tableOf('log-state'),
  )
}
