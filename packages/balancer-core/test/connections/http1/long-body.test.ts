import assert from 'node:assert/strict'
import { channel } from 'node:diagnostics_channel'
import { describe, test } from 'node:test'
import { longBody } from '../../../src/connections/http1/long-body.ts'

function head(...fields: string[]): Buffer {
  return Buffer.from(`HTTP/1.1 200 OK\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n`, 'latin1')
}

describe('the parser is told of one byte', () => {
  test('of a long body, and what has come of it follows', () => {
    const body = Buffer.alloc(30_000, 'b')
    const long = longBody(Buffer.concat([head('content-type: text/é', 'Content-Length: 200000', 'x-a: 1'), body]))
    assert.equal(long?.length, '200000')
    assert.deepEqual(long.rest, body)
    assert.deepEqual(long.head, head('content-type: text/é', 'content-length: 1', 'x-a: 1'))
  })

  test('when the head comes alone, and whatever spaces there are', () => {
    assert.equal(longBody(head('content-length:\t 131072 '))?.length, '131072')
    assert.equal(longBody(head('content-length:999999999999999'))?.length, '999999999999999')
  })
})

describe('the parser sees everything', () => {
  const cases: Record<string, Buffer> = {
    'of a short body': head('content-length: 131071'),
    'of a body in chunks': head('transfer-encoding: chunked'),
    'where the framing is doubtful': head('transfer-encoding: chunked', 'content-length: 200000'),
    'where the length comes twice': head('content-length: 200000', 'content-length: 200000'),
    'where the length comes twice, in a line of its own kind': head(
      'x-a: 1\ncontent-length: 5',
      'content-length: 200000',
    ),
    'where the length is a list': head('content-length: 200000, 200000'),
    'where the length has a sign': head('content-length: +200000'),
    'where the length is not a decimal': head('content-length: 0x200000'),
    'where the length is longer than a number can say': head('content-length: 2000000000000000'),
    'where the name has a space behind it': head('content-length : 200000'),
    'where the length is folded': head('content-length:\r\n 200000'),
    'where the head is not whole': Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 200000\r\n'),
    'of an interim response': Buffer.from('HTTP/1.1 103 Early Hints\r\ncontent-length: 200000\r\n\r\n'),
    'of what has no body: 204': Buffer.from('HTTP/1.1 204 No Content\r\ncontent-length: 200000\r\n\r\n'),
    'of what has no body: 304': Buffer.from('HTTP/1.1 304 Not Modified\r\ncontent-length: 200000\r\n\r\n'),
    'of another version of HTTP': Buffer.from('HTTP/2.0 200 OK\r\ncontent-length: 200000\r\n\r\n'),
    'of what is not HTTP': Buffer.from('SSH-2.0\r\ncontent-length: 200000\r\n\r\n'),
    'of a little that has come with its head': Buffer.concat([head('content-length: 200000'), Buffer.alloc(100)]),
  }
  for (const [name, chunk] of Object.entries(cases)) test(name, () => assert.equal(longBody(chunk), undefined))

  test("while somebody listens to undici's channels, who would see the wrong length", () => {
    const listen = () => {}
    channel('undici:request:headers').subscribe(listen)
    assert.equal(longBody(head('content-length: 200000')), undefined)
    channel('undici:request:headers').unsubscribe(listen)
    assert.notEqual(longBody(head('content-length: 200000')), undefined)
  })
})
