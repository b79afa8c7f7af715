import { customProbe } from './custom-probe.ts'
import { grpcProbe } from './grpc-probe.ts'
import { httpProbe } from './http-probe.ts'
import type { ProbeOptions } from './probe-options.ts'
import type { Probe } from './probing.ts'
import { tcpProbe } from './tcp-probe.ts'

/** The probe for these options; a function of the user's replaces `type`. */
export function chooseProbe(options: ProbeOptions): Probe {
  if (options.probe !== undefined) return customProbe(options.probe)
  if (options.type === 'grpc') return grpcProbe(options)
  return options.type === 'tcp' ? tcpProbe(options) : httpProbe(options)
}
