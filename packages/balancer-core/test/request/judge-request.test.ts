import assert from 'node:assert/strict'
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { describe, test } from 'node:test'
import { faultOf, targetOf } from '../../src/request/judge-request.ts'

/** A message with these fields, as Node's parser hands it over. */
function messageOf(...rawHeaders: string[]): IncomingMessage {
  const message = new IncomingMessage(new Socket())
  message.rawHeaders = rawHeaders
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!.toLowerCase()
    const value = rawHeaders[index + 1]!
    const earlier = message.headers[name]
    // Node keeps the first of the fields that may not be repeated, and joins the others.
    const single = name === 'host' || name === 'content-length'
    message.headers[name] = earlier === undefined ? value : single ? earlier : `${String(earlier)}, ${value}`
  }
  return message
}

describe('a message', () => {
  for (const fields of [
    [],
    ['Host', 'a.test'],
    ['Host', ''],
    ['Content-Length', '0'],
    ['Content-Length', '5'],
    ['Content-Length', '00012'],
    ['Transfer-Encoding', 'chunked'],
    ['transfer-encoding', 'Chunked'],
    ['Host', 'a.test', 'Hots', 'b.test', 'Cookie', 'a=1', 'cookie', 'b=2'],
    ['X-Host', 'a.test', 'Host', 'b.test'],
  ]) {
    test(`without fault: ${fields.join(' ')}`, () => assert.equal(faultOf(messageOf(...fields)), undefined))
  }

  for (const [fault, fields] of [
    ['more than one host', ['Host', 'a.test', 'Host', 'a.test']],
    ['more than one host', ['Host', 'a.test', 'Accept', '*/*', 'hOST', 'b.test']],
    ['unsupported transfer-encoding', ['Transfer-Encoding', 'gzip, chunked']],
    ['unsupported transfer-encoding', ['Transfer-Encoding', 'chunked', 'Transfer-Encoding', 'chunked']],
    ['unsupported transfer-encoding', ['Transfer-Encoding', 'chunked, identity']],
    ['unsupported transfer-encoding', ['Transfer-Encoding', 'identity']],
    ['unsupported transfer-encoding', ['Transfer-Encoding', 'xchunked']],
    ['unsupported transfer-encoding', ['Transfer-Encoding', 'chunked;q=1']],
    ['unsupported transfer-encoding', ['Transfer-Encoding', '']],
    ['both transfer-encoding and content-length', ['Transfer-Encoding', 'chunked', 'Content-Length', '5']],
    ['both transfer-encoding and content-length', ['Content-Length', '0', 'Transfer-Encoding', 'chunked']],
    ['malformed content-length', ['Content-Length', '']],
    ['malformed content-length', ['Content-Length', '-1']],
    ['malformed content-length', ['Content-Length', '+5']],
    ['malformed content-length', ['Content-Length', '5, 5']],
    ['malformed content-length', ['Content-Length', '5 5']],
    ['malformed content-length', ['Content-Length', '0x5']],
    ['malformed content-length', ['Content-Length', '1e3']],
    ['malformed content-length', ['Content-Length', '٥']],
  ] as const) {
    test(`${fault}: ${fields.join(' ')}`, () => assert.equal(faultOf(messageOf(...fields)), fault))
  }
})

describe('a message that repeats its length is at fault', () => {
  // undici would refuse it, and a lenient parser lets it pass.
  for (const [first, second] of [
    ['5', '5'],
    ['5', '6'],
    ['0', '5'],
  ] as const) {
    test(`${first} and ${second}`, () => {
      assert.notEqual(faultOf(messageOf('Content-Length', first, 'content-length', second)), undefined)
    })
  }
})

describe('a target', () => {
  for (const path of [
    '/',
    '/a/b',
    '/a?b=c',
    '/?',
    '//a//b',
    '/a%20b%2f%00',
    '/%',
    '/../a/./b',
    '/http://a.test/',
    '/a;b=c?d=/e?f',
    '/ä\u00ff',
    '/~!$&\'()*+,;=:@"<>[]^`{|}\\',
    `/${'a'.repeat(10_000)}`,
  ]) {
    test(`is taken byte for byte: ${path.slice(0, 40)}`, () => {
      assert.deepEqual(targetOf(path), { path, authority: undefined })
    })
  }

  for (const [url, path, authority] of [
    ['http://a.test', '/', 'a.test'],
    ['http://a.test/', '/', 'a.test'],
    ['http://a.test:8080/b?c', '/b?c', 'a.test:8080'],
    ['https://a.test/b', '/b', 'a.test'],
    ['HTTP://A.Test/B', '/B', 'A.Test'],
    ['http://a.test?b=c', '/?b=c', 'a.test'],
    ['http://[::1]:80/b', '/b', '[::1]:80'],
    ['http://a.test//b', '//b', 'a.test'],
    ['http://a.test/b@c', '/b@c', 'a.test'],
    ['http://a.test?b@c', '/?b@c', 'a.test'],
    ['http://a.test/http://b.test/', '/http://b.test/', 'a.test'],
  ] as const) {
    test(`in absolute form is turned to origin form: ${url}`, () =>
      assert.deepEqual(targetOf(url), { path, authority }))
  }

  for (const url of [
    '',
    '*',
    'a',
    'a/b',
    'a.test:80',
    '?a',
    'http:/a',
    'http:///a',
    'http://',
    'http://?a',
    'ftp://a.test/',
    'ws://a.test/',
    'file:///a',
    'javascript:alert(1)',
    'xhttp://a.test/',
    // A target may not carry credentials (RFC 9110 §4.2.4).
    'http://user@a.test/b',
    'http://user:secret@a.test/b',
    'http://@a.test/b',
    'http://user@a.test',
    // A fragment is no part of a target.
    '/a#b',
    '/#',
    '#',
    'http://a.test/#b',
  ]) {
    test(`is refused: ${url}`, () => assert.equal(targetOf(url), undefined))
  }

  test('is refused with a control character or a space in any place', () => {
    for (let code = 0; code <= 0xff; code++) {
      const character = String.fromCharCode(code)
      const refused = code <= 0x20 || code === 0x7f || character === '#'
      for (const url of [`/${character}`, `/a${character}b`, `/a?b=${character}`, `http://a.test/${character}b`]) {
        assert.equal(targetOf(url) === undefined, refused, `${code} in ${JSON.stringify(url)}`)
      }
    }
  })
})
