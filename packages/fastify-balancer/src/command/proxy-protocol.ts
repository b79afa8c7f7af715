import { faultsOfOptions, type ProxyProtocolOptions } from '@fastify-balancer/proxy-protocol'
import { proxiesIn } from '../configuration/trusted-proxies.ts'
import { wrong } from '../values/wrong-arguments.ts'

/** The proxies that send a header, from a list with commas. @throws CommandError */
export function readProxyProtocol(text: string): ProxyProtocolOptions {
  const options = { from: proxiesIn(text) }
  const [fault] = faultsOfOptions(options)
  if (fault !== undefined) throw wrong(`--proxy-protocol: ${fault.replace(/^from\.\d+: /, '')}`)
  return options
}
