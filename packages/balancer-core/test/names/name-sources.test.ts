import assert from 'node:assert/strict'
import dns from 'node:dns'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import type { Finding } from '../../src/names/finding.ts'
import type { Wanted } from '../../src/names/name-search.ts'
import { NameSources, type Places } from '../../src/names/name-sources.ts'
import { ManualClock } from '../../../../test/support/clock.ts'
import { startNameServer, type TestNameServer } from '../../../../test/support/name-server.ts'
import { until } from '../../../../test/support/until.ts'

interface Files {
  readonly hosts?: string
  readonly resolvConf?: string
  readonly nsswitch?: string
}

/** Files of this test's own. */
function placesOf(t: TestContext, { hosts = '', resolvConf = '', nsswitch = '' }: Files, servers?: TestNameServer[]) {
  const folder = mkdtempSync(join(tmpdir(), 'names-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  return {
    hosts: write('hosts', hosts),
    resolvConf: write('resolv.conf', resolvConf),
    nsswitch: write('nsswitch.conf', nsswitch),
    ...(servers !== undefined && { servers: servers.map(({ address }) => address) }),
  } satisfies Places
}

function sourcesOf(t: TestContext, files: Files, ...servers: TestNameServer[]) {
  const sources = new NameSources(systemClock, placesOf(t, files, servers))
  t.after(() => sources.close())
  return sources
}

/** Everything that is told, and a promise of the last. */
function search(sources: NameSources, name: string, knownFrom?: Wanted['knownFrom']) {
  const told: Finding[] = []
  const last = new Promise<Finding>((resolve) => {
    sources.find({ name, knownFrom }, (finding, isLast) => {
      told.push(finding)
      if (isLast) resolve(finding)
    })
  })
  return { told, last }
}

const textOf = ({ addresses }: Finding) => addresses.map(({ address }) => address)

/** Lets the system know these names only. */
function mockSystem(t: TestContext, known: Readonly<Record<string, string>> = {}) {
  const { lookup } = dns
  const asked: string[] = []
  const answer = (name: string, options: object, callback: (error: Error | null, found?: object[]) => void) => {
    // Servers of the test look up where they listen.
    if (isIP(name) !== 0) return lookup(name, options, callback as never)
    asked.push(name)
    const address = known[name]
    const error = Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' })
    process.nextTick(() => (address === undefined ? callback(error) : callback(null, [{ address, family: 4 }])))
  }
  t.mock.method(dns, 'lookup', answer as unknown as typeof dns.lookup)
  return asked
}

/** Lets the system answer when it is told to: the names that it is being asked for. */
function holdSystem(t: TestContext) {
  const waiting = new Map<string, () => void>()
  t.mock.method(dns, 'lookup', ((name: string, _options: object, callback: (...found: unknown[]) => void) => {
    waiting.set(name, () => {
      waiting.delete(name)
      callback(null, [{ address: '127.0.0.1', family: 4 }])
    })
  }) as unknown as typeof dns.lookup)
  return waiting
}

describe('what is asked first', () => {
  test('the hosts file, with all addresses and aliases of a name; nobody else is asked', async (t) => {
    const server = await startNameServer(t, { 'b.example': { A: ['127.0.0.9'] } })
    const hosts = '# 127.0.0.8 b.example\n127.0.0.1 a.example B.example # alias\n::1\tb.example\nfe80::1%lo z.example\n'
    const sources = sourcesOf(t, { hosts }, server)
    assert.deepEqual(textOf(await search(sources, 'b.example').last), ['127.0.0.1', '::1'])
    assert.deepEqual(textOf(await search(sources, 'B.EXAMPLE.').last), ['127.0.0.1', '::1'])
    assert.deepEqual(textOf(await search(sources, 'z.example').last), ['fe80::1%lo'])
    assert.deepEqual(server.asked, [])
  })

  test('localhost and what is below it are the loopback, unless the hosts file says otherwise (RFC 6761)', async (t) => {
    const server = await startNameServer(t)
    const plain = sourcesOf(t, {}, server)
    for (const name of ['localhost', 'LocalHost.', 'app.localhost'])
      assert.deepEqual(textOf(await search(plain, name).last), ['::1', '127.0.0.1'])
    const listed = sourcesOf(t, { hosts: '127.0.0.1 localhost\n' }, server)
    assert.deepEqual(textOf(await search(listed, 'localhost').last), ['127.0.0.1'])
    assert.deepEqual(textOf(await search(plain, 'a.invalid').last), [])
    assert.deepEqual(server.asked, [])
  })

  test('a hosts file that has changed is read anew', async (t) => {
    const server = await startNameServer(t)
    const clock = new ManualClock()
    const places = placesOf(t, { hosts: '127.0.0.1 a.example\n' }, [server])
    const sources = new NameSources(clock, places)
    t.after(() => sources.close())
    assert.deepEqual(textOf(await search(sources, 'a.example').last), ['127.0.0.1'])
    writeFileSync(places.hosts, '127.0.0.22 a.example\n')
    clock.advance(1000)
    assert.deepEqual(textOf(await search(sources, 'a.example').last), ['127.0.0.22'])
    rmSync(places.hosts)
    server.zones.set('a.example', { A: ['127.0.0.33'] })
    clock.advance(1000)
    assert.deepEqual(textOf(await search(sources, 'a.example').last), ['127.0.0.33'])
  })

  test('the order is that of nsswitch.conf', async (t) => {
    const system = mockSystem(t, { 'a.example': '127.0.0.3' })
    const server = await startNameServer(t, { 'a.example': { A: ['127.0.0.2'] } })
    const hosts = '127.0.0.1 a.example\n'
    const found = async (nsswitch: string) =>
      textOf(await search(sourcesOf(t, { hosts, nsswitch }, server), 'a.example').last)
    assert.deepEqual(await found('hosts: files dns\n'), ['127.0.0.1'])
    assert.deepEqual(await found('passwd: files\nhosts:\tdns [!UNAVAIL=return] files\n'), ['127.0.0.2'])
    assert.deepEqual(await found('hosts: mymachines resolve\n'), ['127.0.0.3'])
    assert.deepEqual(system, ['a.example'])
  })
})

describe('name servers', () => {
  test('both families of a name, with the shortest time that any of it holds', async (t) => {
    const server = await startNameServer(t, {
      'a.example': { A: ['127.0.0.1', '127.0.0.2'], AAAA: ['::1'], ttl: 30 },
      'alias.example': { A: ['127.0.0.3'], ttl: 30, alias: { name: 'a.example', ttl: 7 } },
    })
    const sources = sourcesOf(t, {}, server)
    const both = await search(sources, 'a.example').last
    assert.deepEqual([textOf(both), both.ttl, both.unanswered], [['127.0.0.1', '127.0.0.2', '::1'], 30_000, []])
    const alias = await search(sources, 'alias.example').last
    assert.deepEqual([textOf(alias), alias.ttl, alias.unanswered], [['127.0.0.3'], 7000, []])
    assert.deepEqual(server.asked.toSorted(), [
      'A a.example',
      'A alias.example',
      'AAAA a.example',
      'AAAA alias.example',
    ])
  })

  test('an answer that is too long for UDP comes over TCP', async (t) => {
    const many = Array.from({ length: 200 }, (_, index) => `127.0.1.${index}`)
    const server = await startNameServer(t, { 'many.example': { A: many, truncated: true } })
    assert.deepEqual(textOf(await search(sourcesOf(t, {}, server), 'many.example').last), many)
  })

  test('addresses of one family are not kept waiting by the other', async (t) => {
    const server = await startNameServer(t, { 'a.example': { A: ['127.0.0.1'], silent: ['AAAA'] } })
    const sources = sourcesOf(t, { resolvConf: 'options timeout:1 attempts:1\n' }, server)
    const { told, last } = search(sources, 'a.example')
    const whole = await last
    assert.deepEqual(told.map(textOf), [['127.0.0.1'], ['127.0.0.1']])
    assert.deepEqual(whole.unanswered, [6])
  })

  test('one that fails is followed by the next, and so is one that is silent', async (t) => {
    mockSystem(t)
    const failing = await startNameServer(t, { 'a.example': { code: 'SERVFAIL' }, 'b.example': { code: 'REFUSED' } })
    const good = await startNameServer(t, { 'a.example': { A: ['127.0.0.1'] }, 'b.example': { A: ['127.0.0.2'] } })
    const sources = sourcesOf(t, { resolvConf: 'options timeout:1 attempts:1\n' }, failing, good)
    assert.deepEqual(textOf(await search(sources, 'a.example').last), ['127.0.0.1'])
    assert.deepEqual(textOf(await search(sources, 'b.example').last), ['127.0.0.2'])
    failing.zones.set('a.example', { silent: ['A', 'AAAA'] })
    assert.deepEqual(textOf(await search(sources, 'a.example').last), ['127.0.0.1'])
  })

  test('with `rotate`, another one is asked first each time', async (t) => {
    const zones = { 'a.example': { A: ['127.0.0.1'] } }
    const [one, other] = [await startNameServer(t, zones), await startNameServer(t, zones)]
    const sources = sourcesOf(t, { resolvConf: 'options rotate\n' }, one, other)
    for (let count = 0; count < 4; count++) await search(sources, 'a.example').last
    assert.deepEqual([one.asked.length, other.asked.length], [4, 4])
  })

  test('that a name does not exist is told apart from that nobody knows', async (t) => {
    mockSystem(t)
    const server = await startNameServer(t, {
      'empty.example': {},
      'failing.example': { code: 'SERVFAIL' },
      'silent.example': { silent: ['A', 'AAAA'] },
      'half.example': { silent: ['AAAA'] },
    })
    const sources = sourcesOf(t, { resolvConf: 'options timeout:1 attempts:1\n' }, server)
    const outcome = async (name: string) => {
      const { addresses, unanswered, passedOver } = await search(sources, name).last
      assert.deepEqual(addresses, [])
      return unanswered.length > 0 || passedOver ? 'unanswered' : 'none'
    }
    assert.equal(await outcome('unknown.example'), 'none')
    assert.equal(await outcome('empty.example'), 'none')
    assert.equal(await outcome('failing.example'), 'unanswered')
    assert.equal(await outcome('silent.example'), 'unanswered')
    assert.equal(await outcome('half.example'), 'unanswered')
  })

  test('those that the app has set with dns.setServers go before those of the system', async (t) => {
    const server = await startNameServer(t, { 'a.example': { A: ['127.0.0.4'] } })
    const before = dns.getServers()
    t.after(() => dns.setServers(before))
    dns.setServers([server.address])
    const sources = new NameSources(systemClock, placesOf(t, { resolvConf: 'nameserver 192.0.2.1\n' }))
    t.after(() => sources.close())
    assert.deepEqual(textOf(await search(sources, 'a.example').last), ['127.0.0.4'])
  })
})

describe('search domains', () => {
  test('a name with few dots is looked for in them first, any other after it was asked for as it is', async (t) => {
    mockSystem(t)
    const server = await startNameServer(t, { 'db.two.example': { A: ['127.0.0.2'] } })
    const sources = sourcesOf(t, { resolvConf: 'search one.example two.example\noptions ndots:2\n' }, server)
    const found = await search(sources, 'db').last
    assert.deepEqual([textOf(found), found.fullName], [['127.0.0.2'], 'db.two.example'])
    const names = () => [...new Set(server.asked.splice(0).map((asked) => asked.replace(/^\w+ /, '')))]
    assert.deepEqual(names(), ['db.one.example', 'db.two.example'])
    await search(sources, 'a.b.c').last
    assert.deepEqual(names(), ['a.b.c', 'a.b.c.one.example', 'a.b.c.two.example'])
    await search(sources, 'db.').last
    assert.deepEqual(names(), ['db'])
  })

  test('a name server that fails for one is asked for the next; after silence nobody is', async (t) => {
    mockSystem(t)
    const server = await startNameServer(t, {
      'db.one.example': { code: 'SERVFAIL' },
      'db.two.example': { A: ['127.0.0.2'] },
    })
    const resolvConf = 'search one.example two.example\noptions timeout:1 attempts:1\n'
    const sources = sourcesOf(t, { resolvConf }, server)
    const found = await search(sources, 'db').last
    assert.deepEqual([textOf(found), found.passedOver], [['127.0.0.2'], true])
    server.zones.set('db.one.example', { silent: ['A', 'AAAA'] })
    assert.deepEqual(textOf(await search(sources, 'db').last), [])
  })
})

describe('what no name server knows', () => {
  test('the system is asked', async (t) => {
    const system = mockSystem(t, { 'printer.local': '127.0.0.5' })
    const server = await startNameServer(t)
    const sources = sourcesOf(t, {}, server)
    assert.deepEqual(textOf(await search(sources, 'printer.local').last), ['127.0.0.5'])
    assert.deepEqual(textOf(await search(sources, 'no.local').last), [])
    assert.deepEqual(system, ['printer.local', 'no.local'])
  })

  test('it is also asked when they are silent, and what it finds is told before they give up', async (t) => {
    mockSystem(t, { 'vpn.example': '127.0.0.6' })
    const server = await startNameServer(t, { 'vpn.example': { silent: ['A', 'AAAA'] } })
    const sources = sourcesOf(t, { resolvConf: 'options timeout:2 attempts:1\n' }, server)
    const { told, last } = search(sources, 'vpn.example')
    assert.deepEqual((await last).addresses, [])
    assert.deepEqual(told.map(textOf), [['127.0.0.6'], []])
  })

  test('at most two names at once: those that were found before go first', async (t) => {
    const server = await startNameServer(t)
    const system = holdSystem(t)
    const sources = sourcesOf(t, { nsswitch: 'hosts: mymachines\n' }, server)
    const names = ['new1', 'new2', 'new3', 'known']
    const searches = names.map((name) => search(sources, name, name === 'known' ? 'system' : undefined))
    for (const under of [['new1', 'new2'], ['new2', 'known'], ['known', 'new3'], ['new3']]) {
      assert.deepEqual([...system.keys()], under)
      system.get(under[0]!)!()
    }
    await Promise.all(searches.map(({ last }) => last))
  })

  test('names for which no name server answers have one of the two places', async (t) => {
    const silent = { silent: ['A', 'AAAA'] } as const
    const server = await startNameServer(t, { 'dead1.example': silent, 'dead2.example': silent })
    const system = holdSystem(t)
    const sources = sourcesOf(t, { resolvConf: 'options timeout:1 attempts:1\n' }, server)
    await Promise.all(['dead1.example', 'dead2.example'].map((name) => search(sources, name).last))
    assert.deepEqual([...system.keys()], ['dead1.example'])
    const { last } = search(sources, 'new.local')
    await until('the new one is asked for, too', () => system.has('new.local'))
    system.get('new.local')!()
    assert.deepEqual(textOf(await last), ['127.0.0.1'])
    assert.deepEqual([...system.keys()], ['dead1.example'])
    system.get('dead1.example')!()
    assert.deepEqual([...system.keys()], ['dead2.example'])
    system.get('dead2.example')!()
  })
})
