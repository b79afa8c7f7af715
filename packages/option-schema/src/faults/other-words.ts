/** What the options and policies here are called in other systems; those that stand in another place, with their path. */
const meanings: Readonly<Record<string, string>> = {
  backends:
    'upstream upstreams server servers target targets node nodes endpoint endpoints destination destinations service services cluster instances members origins hosts urls addresses',
  url: 'address host hostname origin uri href server target upstream endpoint',
  id: 'name key label',
  maxInFlight: 'maxconnections maxconns maxconn maxrequests concurrency limit',
  priority: 'backup tier',
  zone: 'region az availabilityzone locality datacenter',
  tags: 'labels meta metadata',
  proxyProtocol: 'acceptproxy sendproxy sendproxyv2 proxyprotocolversion pp ppv2',
  policy: 'algorithm strategy balance balancing loadbalancing lbpolicy lb scheduler method',
  prefix: 'path base basepath mount location url',
  healthCheck: 'check checks health probe probes healthchecks healthchecker activecheck activehealthcheck httpchk',
  circuitBreaker: 'breaker circuit circuits circuitbreakers fuse',
  outliers: 'outlier outlierdetection passive ejection ejections',
  'healthCheck.outliers': 'outlier outlierdetection passive ejection ejections maxfails',
  adaptiveLimit: 'adaptiveconcurrency concurrencylimit concurrencylimits adaptivelimits autolimit',
  metrics: 'prometheus stats statistics monitoring metric',
  admin: 'adminroutes adminapi api management rest',
  dashboard: 'ui page gui console web',
  underPressure: 'overload loadshedding shedding pressure',
  timeouts: 'timeout',
  connect: 'connecttimeout connection',
  headers: 'headerstimeout readtimeout response responsetimeout firstbyte read server',
  idle: 'body bodytimeout idletimeout inactivity stall',
  request: 'requesttimeout total overall all',
  'timeouts.connect': 'connecttimeout connectiontimeout proxyconnecttimeout timeoutconnect',
  'timeouts.headers': 'headerstimeout readtimeout proxyreadtimeout responsetimeout timeoutserver proxytimeout',
  'timeouts.idle': 'bodytimeout idletimeout inactivitytimeout timeoutclient',
  'timeouts.request': 'requesttimeout totaltimeout',
  'timeouts.queue': 'queuetimeout timeoutqueue',
  retry: 'retries retrying failover nextupstream redispatch',
  attempts: 'retries tries maxretries max maxattempts count limit times',
  'retry.attempts': 'maxretries maxtries maxattempts retrycount',
  statuses: 'status codes statuscodes on retryon expectedstatus',
  'expect.statuses': 'status codes statuscodes statuses expectedstatus expectstatus',
  'expect.body': 'match contains',
  queue: 'backlog pending waiting',
  max: 'size limit length',
  'queue.max': 'maxqueue queuesize queuelimit maxpending maxqueued',
  pool: 'agent connections undici keepalive',
  connections: 'maxsockets max maxconnections size',
  'pool.connections': 'maxconnections maxsockets maxconns maxconn',
  'pool.keepAliveTimeout': 'keepalivetimeout keepalive',
  'pool.protocol': 'http2 h2 h2c protocol',
  'pool.tls': 'tls ssl https ca cert certificate servername rejectunauthorized',
  slowStart: 'warmup rampup slowstartwindow',
  drainDeadline: 'drain draintimeout shutdowntimeout gracefulshutdown graceperiod deadline',
  forwarded: 'xfwd forwardedheaders xforwarded proxyheaders',
  host: 'hostheader changeorigin preservehost passhostheader',
  rewrite: 'transform rewriteheaders rewriterequestheaders',
  'rewrite.stripPrefix': 'strippath rewriteprefix',
  interval: 'period every frequency intervalms',
  rise: 'healthythreshold successthreshold passes',
  fall: 'unhealthythreshold failurethreshold maxfails fails failures',
  path: 'uri url endpoint',
  failures: 'threshold maxfailures failurethreshold errorthreshold consecutivefailures',
  openFor: 'resettimeout timeout openduration sleepwindow cooldown waitduration',
  trials: 'halfopenrequests permittedcalls halfopen',
  onRequest: 'auth authenticate authentication authorization guard hook hooks prevalidation',
  sticky: 'stickysessions stickysession affinity sessionaffinity session cookie iphash',
  upgrade: 'ws websocket websockets',
  'round-robin': 'rr roundrobbin static',
  weighted: 'wrr weightedroundrobin smooth',
  random: 'rand',
  p2c: 'poweroftwo poweroftwochoices powerof2 twochoices twochoice randomtwo randomtwoleastconn',
  'least-requests': 'leastconn leastconnections leastconnection leastrequest leastinflight leastload lc',
  http1: 'http http11 https h1',
  http2: 'h2 https2',
}

const words = new Map<string, string[]>()
for (const [ours, others] of Object.entries(meanings))
  for (const word of others.split(' ')) words.set(word, [...(words.get(word) ?? []), ours])

/** All words of other systems that are known. */
export const allOtherWords: readonly string[] = [...words.keys()]

/** What a word of other systems may mean here: names of options, paths to them, or names of policies. In small letters, without marks. */
export function otherWords(word: string): readonly string[] {
  return words.get(word) ?? []
}
