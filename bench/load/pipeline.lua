-- wrk: sends 16 requests at a time on each connection.
local batch

init = function()
  local requests = {}
  for i = 1, 16 do
    requests[i] = wrk.format()
  end
  batch = table.concat(requests)
end

request = function()
  return batch
end
