-- For wrk: sends the method and as many bytes of body as its arguments say, closes connections if they say `close`, and prints what it has seen as one line of JSON.

function init(arguments)
  wrk.method = arguments[1]
  local upload = tonumber(arguments[2])
  if upload > 0 then
    wrk.body = string.rep("x", upload)
    wrk.headers["content-type"] = "application/octet-stream"
  end
  if arguments[3] == "close" then
    wrk.headers["connection"] = "close"
  end
end

function done(summary, latency)
  local errors = summary.errors
  local count = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format(
    '{"requests":%d,"seconds":%.6f,"p50":%.3f,"p99":%.3f,"errors":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, count
  ))
end
