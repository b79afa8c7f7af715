import { strict } from '@fastify-balancer/option-schema'
import { ProxyProtocolOptions } from '@fastify-balancer/proxy-protocol'
import { Type } from '@sinclair/typebox'
import { objectInFile } from './in-file.ts'
import { file, path } from './reference.ts'

const proxyProtocol = objectInFile(ProxyProtocolOptions)

/** Where requests come in. */
export const listener = (description?: string) =>
  Type.Object(
    {
      port: Type.Optional(Type.Integer({ minimum: 0, maximum: 65_535, description: 'The port; 0 = any free one' })),
      host: Type.Optional(
        Type.String({
          minLength: 1,
          default: '127.0.0.1',
          description: 'The address; `0.0.0.0` or `::` opens it to the network',
        }),
      ),
      path: Type.Optional(path('The path of a Unix socket, instead of `port` and `host`')),
      tls: Type.Optional(
        Type.Object(
          {
            cert: file('PEM file with the certificate, followed by its intermediate certificates'),
            key: file('PEM file with its private key'),
          },
          { ...strict, description: 'HTTPS, with these files' },
        ),
      ),
      http2: Type.Optional(
        Type.Boolean({ default: false, description: 'HTTP/2 as well as HTTP/1.1; needs `tls` or `proxyProtocol`' }),
      ),
      trustProxy: Type.Optional(
        Type.Union([Type.Boolean(), Type.String(), Type.Array(Type.String())], {
          default: false,
          description:
            'Whose `x-forwarded-*` headers are believed: addresses and networks of your proxies, or `private` for this machine and networks that are not on the internet; `true` = everyone',
        }),
      ),
      proxyProtocol: Type.Optional(
        Type.Object(proxyProtocol.properties, {
          ...strict,
          description: 'Proxies in front say who the client is by the PROXY protocol, version 1 or 2',
        }),
      ),
    },
    { ...strict, ...(description !== undefined && { description }) },
  )
