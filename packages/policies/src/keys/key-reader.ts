// Room `keys`: what of a request is its key, and the hash of it.
import type { PickRequest } from '@fastify-balancer/balancer-core'
import { addressKey } from './address-key.ts'
import { bytesOf } from './bytes.ts'
import type { KeyFunction, KeyOption, KeyPart } from './key-option.ts'
import { cookieOf, pathOf, queryOf, segmentsOf } from './request-parts.ts'

/** The first bytes of a body that decide by default: the beginning of a prompt, of which caches of LLM servers are made. */
const bodyBytes = 1024

/** Reads one kind of key; undefined or '' where the request has none. */
interface KeySource {
  /** For people; never the key itself. */
  readonly name: string
  readonly of: KeyFunction
}

/** A header that came several times is one, with commas, as in nginx. */
function headerSource(header: string): KeySource {
  const name = header.toLowerCase()
  return {
    name: `header ${name}`,
    of({ headers }) {
      // HTTP/2 has it elsewhere.
      const value = headers[name] ?? (name === 'host' ? headers[':authority'] : undefined)
      return Array.isArray(value) ? value.join(', ') : value
    },
  }
}

function pathSource(segments: number | true): KeySource {
  if (segments === true) return { name: 'path', of: ({ url }) => pathOf(url) }
  return { name: `path, ${segments} segments`, of: ({ url }) => segmentsOf(pathOf(url), segments) }
}

function addressSource(bits: true | { readonly v4?: number; readonly v6?: number }): KeySource {
  const { v4 = 32, v6 = 128 } = bits === true ? {} : bits
  return {
    name: 'address',
    of: ({ address }) => (address === undefined ? undefined : addressKey(address, v4, v6)),
  }
}

/** A function that throws has no key to tell; that it threw is said once. */
function codeSource(code: KeyFunction): KeySource {
  let hasThrown = false
  return {
    name: 'function',
    of(request) {
      try {
        const value: unknown = code(request)
        return typeof value === 'string' ? bytesOf(value) : undefined
      } catch (error) {
        if (!hasThrown) process.emitWarning(`the function of a policy's \`key\` threw: ${String(error)}`)
        hasThrown = true
        return undefined
      }
    },
  }
}

function sourceOf(part: KeyPart): KeySource {
  if (typeof part === 'function') return codeSource(part)
  if ('header' in part) return headerSource(part.header)
  if ('cookie' in part) {
    const { cookie } = part
    return { name: `cookie ${cookie}`, of: ({ headers }) => cookieOf(headers, cookie) }
  }
  if ('query' in part) return { name: `query ${part.query}`, of: ({ url }) => queryOf(url, part.query) }
  if ('path' in part) return pathSource(part.path)
  if ('address' in part) return addressSource(part.address)
  const length = part.body === true ? bodyBytes : part.body
  return { name: `body, ${length} bytes`, of: ({ body }) => body?.toString('latin1', 0, length) }
}

/** Reads the key of a request, by the setting `key`. */
export class KeyReader {
  readonly #sources: readonly KeySource[]

  constructor(option: KeyOption) {
    this.#sources = [option].flat().map((part) => sourceOf(part))
  }

  /** The key as a text of bytes; undefined if the request has none. */
  keyOf(request: PickRequest): string | undefined {
    for (const source of this.#sources) {
      const key = source.of(request)
      if (key !== undefined && key !== '') return key
    }
    return undefined
  }

  /** Which part of the request is its key, for people; undefined if it has none. */
  nameOf(request: PickRequest): string | undefined {
    return this.#sources.find(({ of }) => (of(request) ?? '') !== '')?.name
  }
}
