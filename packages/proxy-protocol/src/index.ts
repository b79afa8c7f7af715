export { BadOptionsError } from './errors.ts'
export { ProxyProtocolOptions, faultsOfOptions } from './options.ts'
export { proxyProtocol as default, proxyProtocol } from './server-factory.ts'
