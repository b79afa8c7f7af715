-- For wrk: each client asks again as soon as it has an answer, whatever that is. Prints, as one line of JSON, how many were served and refused.

local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init()
  served = 0
  refused = 0
end

function response(status)
  if status == 200 then served = served + 1 else refused = refused + 1 end
end

function done(summary, latency)
  local all = { served = 0, refused = 0 }
  for _, thread in ipairs(threads) do
    for name, count in pairs(all) do all[name] = count + thread:get(name) end
  end
  local errors = summary.errors
  io.write(string.format(
    '{"served":%d,"refused":%d,"seconds":%.6f,"broken":%d}\n',
    all.served, all.refused, summary.duration / 1e6, errors.connect + errors.read + errors.write + errors.timeout
  ))
end
