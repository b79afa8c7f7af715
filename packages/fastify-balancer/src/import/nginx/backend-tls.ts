import { dirname, resolve } from 'node:path'
import { byDefault, fromLine, type Tree, type TreeObject } from '../result/draft.ts'
import type { Report } from '../result/report.ts'
import { textOf } from './syntax/directive.ts'
import type { Scope } from './scope.ts'

const files = { ca: 'proxy_ssl_trusted_certificate', cert: 'proxy_ssl_certificate', key: 'proxy_ssl_certificate_key' }

/** nginx takes a relative path from the folder of its first file. */
export function absolute(path: string, base: string): string {
  return resolve(dirname(base), path)
}

function rejectUnauthorized(scope: Scope): Tree | undefined {
  const verify = scope.get('proxy_ssl_verify')
  if (verify?.args[0] === 'on') return undefined
  return verify === undefined
    ? byDefault('nginx', false, 'certificates of backends are not verified; delete this line to verify them')
    : fromLine(verify.place, false, textOf(verify))
}

/** Node's TLS options for `https://` backends. nginx does not verify certificates unless it is told to. `base` is its first file. */
export function backendTlsOf(scope: Scope, base: string, report: Report): TreeObject {
  const name = scope.get('proxy_ssl_name')
  const depth = scope.get('proxy_ssl_verify_depth')
  const serverName = scope.get('proxy_ssl_server_name')
  if (depth !== undefined) report.leaveOut(depth.place, textOf(depth), 'the depth cannot be set')
  if (serverName !== undefined) report.notNeeded(serverName.place, textOf(serverName), 'the name is always sent')
  if (name !== undefined)
    report.leaveOut(
      name.place,
      textOf(name),
      "the name in TLS is that of the backend's address; see `pool.tls.servername`",
    )
  const named = Object.entries(files).map(([key, directive]) => {
    const one = scope.get(directive)
    return [key, one && fromLine(one.place, { file: absolute(one.args[0]!, base) })] as const
  })
  return { ...Object.fromEntries(named), rejectUnauthorized: rejectUnauthorized(scope) }
}
