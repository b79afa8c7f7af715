import { stringify } from 'yaml'
import type { BackendAddress } from '../values/backend-address.ts'
import { policyNames } from '../plugin/policies.ts'
import type { Answers } from './answers.ts'

/** A text as YAML needs it; `${` begins a variable in our file, and doubled, is itself. */
function scalar(text: string): string {
  return stringify(
    text.replaceAll('${', () => '$${'),
    { lineWidth: 0 },
  ).trimEnd()
}

function backendLine({ url, weight }: BackendAddress): string {
  return `      - ${weight === undefined ? scalar(url) : `{ url: ${scalar(url)}, weight: ${weight} }`}`
}

function healthLines(path: string | undefined): readonly string[] {
  if (path === undefined)
    return [
      '    # Backends are not probed; what happens to requests tells which are unhealthy.',
      '    healthCheck: { type: none }',
    ]
  return [
    '    # Backends are asked for this path with HEAD, every 5 s. A status from 100 to 499 is healthy.',
    '    healthCheck:',
    `      path: ${scalar(path)}`,
  ]
}

function administrationLines({ dashboard, metrics }: Answers, tokenFile: string): readonly string[] {
  const page = [
    '',
    '# A live page and the admin API, at /_balancer/. A browser asks for a name and a password: any name, and the token.',
    'admin:',
    `  token: { file: ${scalar(tokenFile)} }`,
    'dashboard: true',
  ]
  const prometheus = ['', `# For Prometheus, at /metrics${dashboard ? ', with the token' : ''}.`, 'metrics: true']
  return [...(dashboard ? page : []), ...(metrics ? prometheus : [])]
}

/** The other policies that a name is enough for, in lines that are not too long. */
function policyComment(policy: string): readonly string[] {
  const lines = ['    # or']
  for (const name of policyNames.filter((one) => one !== policy)) {
    if (`${lines.at(-1)} ${name},`.length > 100) lines.push('    #   ')
    lines[lines.length - 1] += ` ${name},`
  }
  lines.push(lines.pop()!.replace(/,$/, ''))
  return lines
}

/** The text of a new file. `tokenFile` is as the file names it. */
export function newFile(answers: Answers, firstLine: string, file: string, tokenFile: string): string {
  const { port, host, name, policy, backends, healthPath } = answers
  const lines = [
    firstLine,
    '#',
    `# Run it:    fastify-balancer --config ${file}`,
    `# Check it:  fastify-balancer check ${file}`,
    '',
    '# Where requests come in.',
    'listen:',
    `  - port: ${port}`,
    `    host: ${scalar(host)} # 127.0.0.1: this machine only; 0.0.0.0 or '::' opens it to the network`,
    '    # tls: { cert: ./site.cert.pem, key: ./site.key.pem }',
    '',
    '# Processes that share the work: `auto` uses every core.',
    '# workers: auto',
    '',
    '# Where they go. More balancers may follow, each with a `prefix` or with `constraints: { host: … }` of its own.',
    'balancers:',
    `  - name: ${scalar(name)}`,
    `    policy: ${policy}`,
    ...policyComment(policy),
    '    backends:',
    ...backends.map(backendLine),
    ...healthLines(healthPath),
    ...administrationLines(answers, tokenFile),
  ]
  return `${lines.join('\n')}\n`
}
