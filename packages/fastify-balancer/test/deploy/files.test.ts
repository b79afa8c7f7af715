import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import { describe, test, type TestContext } from 'node:test'
import { parse, parseAllDocuments } from 'yaml'
import { blocksIn } from '../../../../test/support/documented-programs.ts'
import { startProgram } from '../../../../test/support/program.ts'
import { folderOf } from '../reload/reloading.ts'

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const cli = path('../../src/cli.ts')
const read = (name: string) => readFileSync(path(`../../deploy/${name}`), 'utf8')
const manifest = JSON.parse(readFileSync(path('../../package.json'), 'utf8')) as {
  readonly publishConfig: { readonly bin: Readonly<Record<string, string>> }
}
const installed = `node_modules/fastify-balancer/${manifest.publishConfig.bin['fastify-balancer']!.slice(2)}`

const unit = read('fastify-balancer.service')
const dockerfile = read('Dockerfile')
const sample = read('balancer.yaml')

interface Site {
  readonly listen: readonly { readonly port: number; readonly host: string }[]
  readonly balancers: readonly { readonly drainDeadline: number }[]
  readonly admin: { readonly listen: { readonly port: number }; readonly token: { readonly file: string } }
}

/** A JSON array behind a word of the Dockerfile. */
const listBehind = (word: string) =>
  JSON.parse(new RegExp(`^${word}.*?(\\[".*\\])$`, 'm').exec(dockerfile)![1]!) as string[]
const setting = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(unit)?.[1]

/** What `fastify-balancer check` says; it throws unless that is 0. */
async function checked(t: TestContext, text: string, token: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const folder = await folderOf(t)
  const secret = join(folder, token)
  mkdirSync(dirname(secret), { recursive: true })
  writeFileSync(secret, 'a-token-that-is-long-enough')
  const file = join(folder, 'balancer.yaml')
  writeFileSync(file, text.replaceAll('file: /run/', `file: ${folder}/run/`))
  const options = { env: { ...process.env, ...env } }
  return (await promisify(execFile)(process.execPath, [cli, 'check', file], options)).stdout
}

describe('the systemd unit', { skip: spawnSync('systemd-analyze', ['--version']).error && 'no systemd' }, () => {
  test('is one, as systemd finds, and shuts in what it runs', async (t) => {
    const file = join(await folderOf(t), 'fastify-balancer.service')
    // The program is not installed here.
    writeFileSync(file, unit.replace(/^ExecStart=.*/m, `ExecStart=${process.execPath} --version`))
    const verified = spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' })
    assert.deepEqual([verified.status, verified.stdout + verified.stderr], [0, ''])
    // From 0 to 100; a unit without these settings has 96.
    const args = ['security', '--offline=yes', '--threshold=20', file]
    const { status, stdout } = spawnSync('systemd-analyze', args, { encoding: 'utf8' })
    assert.equal(status, 0, stdout.split('\n').slice(-3).join('\n'))
  })

  test('agrees with the command and with the file', async (t) => {
    const { balancers } = parse(sample) as Site
    const [, program, option, file] = setting('ExecStart')!.split(' ') as [string, string, string, string]
    assert.ok(program.endsWith(installed), program)
    assert.deepEqual([option, basename(file)], ['--config', 'balancer.yaml'])
    assert.ok(Number(setting('TimeoutStopSec')) * 1000 > balancers[0]!.drainDeadline)
    const [name] = setting('LoadCredential')!.split(':')
    const text = await checked(t, sample, name!)
    assert.match(text, /drainDeadline: 30000/)
  })
})

describe('the Dockerfile', () => {
  test('agrees with the command and with the file', async (t) => {
    const { listen, admin } = parse(sample) as Site
    assert.deepEqual(/^EXPOSE (.*)$/m.exec(dockerfile)![1]!.split(' ').map(Number), [
      listen[0]!.port,
      admin.listen.port,
    ])
    const [, from, to] = /^COPY (balancer\.yaml) (\S+)$/m.exec(dockerfile)!
    assert.equal(basename(to!), from)
    assert.deepEqual(listBehind('CMD'), [installed, '--config', to])
    assert.match(dockerfile, /^USER [1-9]\d*$/m)
    const [, secrets] = /CREDENTIALS_DIRECTORY=(\S+)/.exec(dockerfile)!
    const other = await folderOf(t)
    writeFileSync(join(other, 'admin-token'), 'a-token-of-another-folder')
    assert.match(await checked(t, sample, 'none', { CREDENTIALS_DIRECTORY: other }), /admin-token/)
    assert.equal(secrets, '/run/secrets')
  })

  test('asks whether it is healthy by a command that works without a shell', async (t) => {
    const [node, ...args] = listBehind('HEALTHCHECK')
    assert.equal(node, '/nodejs/bin/node')
    assert.ok(args.join(' ').includes(`:${(parse(sample) as Site).admin.listen.port}/`))
    const folder = await folderOf(t)
    const { admin, ...others } = parse(sample) as Site
    const file = join(folder, 'balancer.yaml')
    const onAnyPort = { ...admin, listen: { port: 0 }, token: 'a-token-that-is-long-enough' }
    const site = {
      ...others,
      workers: 1,
      listen: [{ port: 0 }],
      admin: onAnyPort,
      balancers: [{ backends: [], healthCheck: false }],
    }
    writeFileSync(file, JSON.stringify(site))
    const { child, until, exit } = startProgram(t, cli, { args: ['--config', file, '--log', 'json'] })
    const [, port] = await until(/admin API at http:\/\/127\.0\.0\.1:(\d+)/)
    const asks = () => {
      const there = args.map((one) => one.replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${port}`))
      return promisify(execFile)(process.execPath, there)
    }
    await asks()
    child.kill('SIGTERM')
    await exit
    await assert.rejects(asks, { code: 1 })
  })
})

interface Port {
  readonly name: string
  readonly containerPort: number
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string }
}

/** As far as it is looked at here. */
interface Resource {
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly data: Readonly<Record<string, string>>
  readonly spec: {
    readonly selector: Readonly<Record<string, unknown>>
    readonly ports: readonly { readonly targetPort: string }[]
    readonly template: {
      readonly metadata: { readonly labels: object }
      readonly spec: {
        readonly terminationGracePeriodSeconds: number
        readonly containers: readonly [
          {
            readonly ports: readonly Port[]
            readonly lifecycle: { readonly preStop: { readonly sleep: { readonly seconds: number } } }
            readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[]
          } & Readonly<Record<'startupProbe' | 'readinessProbe' | 'livenessProbe', Probe>>,
        ]
        readonly volumes: readonly {
          readonly name: string
          readonly configMap?: { readonly name: string }
          readonly secret?: { readonly secretName: string }
        }[]
      }
    }
  }
}

describe('the Kubernetes manifest', () => {
  const text = read('kubernetes.yaml')
  const documents = parseAllDocuments(text)
  const all = documents.map((one) => one.toJS() as Resource)
  const ofKind = (kind: string) => all.filter((one) => one.kind === kind)
  const [map] = ofKind('ConfigMap')
  const [deployment] = ofKind('Deployment')
  const pod = deployment!.spec.template
  const [container] = pod.spec.containers
  const [name, configuration] = Object.entries(map!.data)[0]!
  const site = parse(configuration) as Site

  test('agrees with itself and with the image', () => {
    assert.deepEqual(
      documents.flatMap(({ errors }) => errors),
      [],
    )
    assert.deepEqual(deployment!.spec.selector['matchLabels'], pod.metadata.labels)
    for (const { spec } of ofKind('Service')) {
      assert.deepEqual(spec.selector, pod.metadata.labels)
      for (const { targetPort } of spec.ports) assert.ok(container.ports.some((port) => port.name === targetPort))
    }
    const places = new Map(container.volumeMounts.map((mount) => [mount.name, mount.mountPath]))
    const volumeOf = (wanted: string) =>
      pod.spec.volumes.find((one) => (one.configMap?.name ?? one.secret?.secretName) === wanted)
    assert.equal(`${places.get(volumeOf(map!.metadata.name)!.name)}/${name}`, listBehind('CMD').at(-1))
    const [, secret, key] = /secret generic (\S+) --from-literal=([\w-]+)=/.exec(text)!
    assert.equal(`${places.get(volumeOf(secret!)!.name)}/${key}`, site.admin.token.file)
  })

  test('agrees with its configuration: ports, probes, and how long it may take to stop', () => {
    assert.deepEqual(Object.fromEntries(container.ports.map((port) => [port.name, port.containerPort])), {
      http: site.listen[0]!.port,
      admin: site.admin.listen.port,
    })
    const probes = [container.startupProbe, container.readinessProbe, container.livenessProbe]
    assert.deepEqual(
      probes.map(({ httpGet }) => `${httpGet.port} ${httpGet.path}`),
      ['admin /_balancer/live', 'admin /_balancer/ready', 'admin /_balancer/live'],
    )
    const { seconds } = container.lifecycle.preStop.sleep
    const spare = pod.spec.terminationGracePeriodSeconds - seconds - site.balancers[0]!.drainDeadline / 1000
    assert.ok(spare >= 5 && spare <= 30, `${spare} s`)
  })

  test('has a configuration that can be used', async (t) => {
    assert.match(await checked(t, configuration, 'run/secrets/fastify-balancer/admin-token'), /openProbes: true/)
  })
})

test('the documentation shows these files as they are', () => {
  const blocks = blocksIn(readFileSync(path('../../../docs/guide/deploy.md'), 'utf8')).map(({ code }) => code)
  for (const file of ['balancer.yaml', 'fastify-balancer.service', 'Dockerfile', 'kubernetes.yaml'])
    assert.ok(blocks.includes(read(file)), file)
})
