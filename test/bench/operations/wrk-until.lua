-- For wrk: asks until there is a file with the name of its argument, then lets every connection rest once its response has come, and says so for each.

local stop
local resting = 3600000

function init(arguments)
  stop = arguments[1]
end

function delay()
  local file = io.open(stop)
  if file == nil then
    return 0
  end
  file:close()
  io.stderr:write("resting\n")
  return resting
end

function done(summary)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d}\n',
    summary.requests, errors.connect, errors.read, errors.write, errors.status, errors.timeout
  ))
end
