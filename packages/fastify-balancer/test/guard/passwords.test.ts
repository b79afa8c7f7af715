import { hashSync } from '@node-rs/bcrypt'
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { PasswordFileError, readPasswords } from '../../src/guard/password-file.ts'
import { Passwords } from '../../src/guard/passwords.ts'

const sha = (text: string) => `{SHA}${createHash('sha1').update(text).digest('base64')}`

describe('a file as htpasswd writes it', () => {
  const hashes: readonly (readonly [string, string, string])[] = [
    ['bcrypt', 'secret', hashSync('secret', { cost: 4, version: '2y' })],
    // Written by `openssl passwd -apr1`.
    ['apr1', 'myPassword', '$apr1$qHDFfhPC$nITSVHgYbDAK1Y0acGRnY0'],
    ['apr1 with other letters', 'pässwörd', '$apr1$abcdefgh$030j6I3f1zNCF9tihqdd11'],
    ['{SHA}', 'secret', sha('secret')],
  ]
  for (const [kind, password, hash] of hashes)
    test(kind, async () => {
      const passwords = new Passwords(readPasswords('f', `# operators\n\nada:${hash}:a comment\r\n`))
      assert.equal(await passwords.check('ada', password), true)
      assert.equal(await passwords.check('ada', password), true, 'once more, from memory')
      assert.equal(await passwords.check('ada', `${password}x`), false)
      assert.equal(await passwords.check('bob', password), false)
      assert.equal(await passwords.check('', ''), false)
    })

  const bad: readonly (readonly [string, RegExp])[] = [
    ['ada:secret', /^f:1: the password of 'ada' is not hashed with bcrypt, apr1 or \{SHA\}/],
    ['ada:{PLAIN}secret', /^f:1: the password of 'ada' is not hashed/],
    [`ok:${sha('x')}\nada:$6$salt$secret`, /^f:2: the password of 'ada' is not hashed/],
    ['just secret text', /^f:1: expected a name, a colon and a password hash/],
    [':secret', /^f:1: expected a name/],
    [`ada:${sha('x')}\nada:${sha('y')}`, /^f:2: the name 'ada' is given twice/],
    ['# nobody\n', /^f names no user/],
    ['', /^f names no user/],
  ]
  for (const [text, message] of bad)
    test(`refused: ${JSON.stringify(text.slice(0, 24))}`, () => {
      assert.throws(
        () => readPasswords('f', text),
        (error: Error) => {
          assert.ok(error instanceof PasswordFileError)
          assert.match(error.message, message)
          assert.doesNotMatch(error.message, /secret/)
          return true
        },
      )
    })
})

describe('clients that guess', () => {
  /** Checks that end when they are told to. */
  function slow() {
    const waiting: (() => void)[] = []
    const check = () => new Promise<boolean>((resolve) => waiting.push(() => resolve(false)))
    return { passwords: new Passwords(new Map([['ada', check]])), waiting }
  }

  test('one is checked at a time, and only so many may wait', async () => {
    const { passwords, waiting } = slow()
    const checks = Array.from({ length: 16 }, (_, index) => passwords.check('ada', `guess ${index}`))
    await assert.rejects(passwords.check('ada', 'one more'), {
      code: 'FST_BALANCER_TOO_MANY_SIGN_INS',
      statusCode: 503,
    })
    for (let turn = 0; turn < 16; turn++) {
      assert.equal(waiting.length, turn + 1)
      waiting[turn]!()
      assert.equal(await checks[turn], false)
      await new Promise((resolve) => void setImmediate(resolve))
    }
    void passwords.check('ada', 'room again')
    await new Promise((resolve) => void setImmediate(resolve))
    assert.equal(waiting.length, 17)
  })

  test('an unknown name is checked too, so that it takes as long', async () => {
    const { passwords, waiting } = slow()
    const check = passwords.check('nobody', 'x')
    await new Promise((resolve) => void setImmediate(resolve))
    assert.equal(waiting.length, 1)
    waiting[0]!()
    assert.equal(await check, false)
  })
})
