/** What becomes of a directive that is not carried over. */
interface Fate {
  /** Does it change what requests get? */
  readonly needed: boolean
  readonly why: string
}

const process = 'it concerns the processes of nginx'
const files = 'it concerns how nginx sends files'
const logs = 'the balancer writes a line of its own for each request (see `log`)'
const buffers = 'bodies are streamed, with bounded memory, and have no buffers to set'
const names = 'tables of names grow as needed'
const connections = 'idle client connections are closed by timeouts of their own'
const sessions = "Node's TLS sessions are used"

/** Directives without effect on what a request gets, for all values that are not listed below. */
const notNeeded: Readonly<Record<string, string>> = {
  ...byName(
    process,
    'user worker_processes worker_rlimit_nofile worker_cpu_affinity worker_priority worker_shutdown_timeout',
  ),
  ...byName(
    process,
    'pid daemon master_process events load_module env pcre_jit thread_pool timer_resolution lock_file',
  ),
  ...byName(
    files,
    'sendfile sendfile_max_chunk tcp_nopush tcp_nodelay aio directio open_file_cache output_buffers etag',
  ),
  ...byName(files, 'types default_type types_hash_max_size types_hash_bucket_size charset index root'),
  ...byName(logs, 'access_log error_log log_format log_not_found log_subrequest open_log_file_cache'),
  ...byName(
    buffers,
    'proxy_buffering proxy_buffers proxy_buffer_size proxy_busy_buffers_size proxy_max_temp_file_size',
  ),
  ...byName(buffers, 'proxy_temp_path proxy_temp_file_write_size client_body_buffer_size client_body_temp_path'),
  ...byName(buffers, 'client_header_buffer_size client_body_in_file_only proxy_headers_hash_max_size'),
  ...byName(names, 'server_names_hash_bucket_size server_names_hash_max_size variables_hash_max_size'),
  ...byName(names, 'map_hash_bucket_size map_hash_max_size proxy_headers_hash_bucket_size variables_hash_bucket_size'),
  ...byName(connections, 'keepalive_timeout keepalive_requests keepalive_time keepalive_disable lingering_close'),
  ...byName(connections, 'reset_timedout_connection lingering_timeout lingering_time'),
  ...byName(
    sessions,
    'ssl_session_cache ssl_session_timeout ssl_session_tickets ssl_buffer_size proxy_ssl_session_reuse',
  ),
  ...byName('HTTP/2 has limits of its own here', 'http2_max_concurrent_streams http2_idle_timeout http2_recv_timeout'),
  zone: 'all backends are known to the one process',
  server_tokens: 'no server header is added',
  resolver: 'names of backends are resolved by the system, and their changes are followed',
  resolver_timeout: 'names of backends are resolved by the system, and their changes are followed',
  proxy_socket_keepalive: 'it is about TCP probes on idle connections',
  server_name_in_redirect: 'no redirects are made',
  port_in_redirect: 'no redirects are made',
  absolute_redirect: 'no redirects are made',
  underscores_in_headers: 'such headers are always forwarded',
}

function byName(why: string, list: string): Record<string, string> {
  return Object.fromEntries(list.split(' ').map((name) => [name, why]))
}

/** Why a directive that changes what requests get is left out; all others have the reason at the end of `fateOf`. */
const leftOut: Readonly<Record<string, string>> = {
  stream: 'only HTTP is balanced',
  mail: 'only HTTP is balanced',
  include: 'this file cannot be read',
  return: 'the balancer sends no responses of its own; only backends answer',
  rewrite: 'paths are not rewritten, but for a prefix that is taken off or replaced',
  ...byName('files are not served', 'alias try_files expires'),
  gzip: 'responses are forwarded as the backend sent them; let the backend compress',
  client_max_body_size: 'bodies of any size are forwarded; limit them in the backend',
  client_header_timeout: 'the limit is 60 s, and the file cannot change it',
  client_body_timeout: 'one limit, `timeouts.idle`, is for both sides; it was taken from proxy_read_timeout',
  send_timeout: 'one limit, `timeouts.idle`, is for both sides; it was taken from proxy_read_timeout',
  add_header: 'headers of responses are not changed; `rewrite.response` in a module can do it',
  proxy_hide_header: 'headers of responses are not changed; `rewrite.response` in a module can do it',
  proxy_pass_header: 'headers of responses are not changed',
  proxy_cache: 'nothing is cached',
  proxy_pass_request_headers: 'headers are always forwarded; `rewrite.request` in a module can remove some',
  proxy_pass_request_body: 'bodies are always forwarded',
  proxy_intercept_errors: 'responses of backends are forwarded as they are',
  error_page: 'responses of backends are forwarded as they are, and failures are answered in JSON',
  limit_req: 'requests are not limited for each client; @fastify/rate-limit can do it in a program',
  limit_conn: 'connections are not limited for each client',
  map: 'there are no variables',
  set: 'there are no variables',
  proxy_bind: 'the address that backends are reached from cannot be chosen',
  health_check: 'it is of the commercial nginx; write `healthCheck` by hand',
  ssl_ciphers: "Node's ciphers are in force",
  ssl_protocols: 'TLS 1.2 and 1.3 are in force',
  ssl_dhparam: "Node's key exchange is in force",
  ssl_ecdh_curve: "Node's key exchange is in force",
}

/** Values with which a directive asks for what is done here anyway. */
const alreadySo: Readonly<Record<string, RegExp>> = {
  gzip: /^off$/,
  client_max_body_size: /^0$/,
  proxy_cache: /^off$/,
  proxy_pass_request_headers: /^on$/,
  proxy_pass_request_body: /^on$/,
  proxy_intercept_errors: /^off$/,
  ssl_protocols: /^TLSv1\.2 TLSv1\.3$|^TLSv1\.3 TLSv1\.2$/,
  ssl_stapling: /^off$/,
  ssl_prefer_server_ciphers: /^(?:on|off)$/,
  client_header_timeout: /^(?:60s?|1m)$/,
  client_body_timeout: /^(?:60s?|1m)$/,
  send_timeout: /^(?:60s?|1m)$/,
  auth_basic: /^off$/,
  merge_slashes: /^off$/,
  proxy_bind: /^off$/,
}

/** What becomes of a directive that nothing was made of. */
export function fateOf(name: string, args: readonly string[]): Fate {
  if (alreadySo[name]?.test(args.join(' ')) === true) return { needed: false, why: 'it is always so here' }
  if (name.startsWith('gzip_')) return { needed: false, why: 'it is a part of gzip' }
  if (name === 'include' && args[0]?.endsWith('mime.types') === true) return { needed: false, why: files }
  const why = Object.hasOwn(notNeeded, name) ? notNeeded[name] : undefined
  if (why !== undefined) return { needed: false, why }
  return { needed: true, why: (Object.hasOwn(leftOut, name) ? leftOut[name] : undefined) ?? 'there is no counterpart' }
}
