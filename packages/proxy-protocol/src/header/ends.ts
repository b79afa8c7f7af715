/** One end of a connection. */
export interface End {
  readonly address: string
  readonly port: number
}

/** Both ends of the client's connection, as the proxy in front saw it. */
export interface Ends {
  readonly family: 'IPv4' | 'IPv6'
  readonly client: End
  readonly server: End
}
