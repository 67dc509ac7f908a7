import { METERS_LUA } from './meters-lua.ts'
import { createScript, type Script } from './script.ts'
import { WHOLE_CHECK_LUA } from './whole-check-lua.ts'

/**
 * All checks of one event-loop turn, each with the counters, strikes and bans of its clients, in one atomic step.
 *
 * KEYS: for each check, its clients (`client-state.ts`). ARGV: the time (empty: the server's own), how many different specs there are, the
 * specs, and for each check which of them it is (left out when there is one). A spec is JSON (`hit-spec.ts`), parsed once however many
 * checks of a batch have it.
 *
 * Reply, flat: the time; for each spec the slot and resetIn of its simple hits; then a negative number for a simple hit that is
 * admitted, -1 - remaining; for each other hit flags, remaining, resetIn, retryIn, slot, and what the flags announce: 2 strikes, 4 the ban
 * that stood, 8 the ban made now, 16 how much was leased and for how long.
 */
export const HIT_SCRIPT: Script = createScript(`
local floor, ceil, max, min = math.floor, math.ceil, math.max, math.min
local call, sub, pack, read = redis.call, string.sub, struct.pack, struct.unpack
local FOREVER = 9007199254740991
local NEVER = 281474976710655
local now, grace = tonumber(ARGV[1]), 0
if now then
  grace = 3600000
else
  local t = call('TIME')
  now = t[1] * 1000 + floor(t[2] / 1000)
end

local function leaves(window, part)
  return ceil((part + 11) * window / 10)
end

local WINDOW = setmetatable({}, { __index = function(all, count)
  local format = '<I6' .. string.rep('I4', count)
  all[count] = format
  return format
end })
-- With the head of a client that has only this counter.
local WHOLE = setmetatable({}, { __index = function(all, count)
  local format = '<BI6c8BI6' .. string.rep('I4', count)
  all[count] = format
  return format
end })

local function turnWindow(s, w)
  local part = floor(now * 10 / w)
  local passed = part - s[1]
  if passed <= 0 then return end
  local count = #s
  local sum = 0
  if passed < 11 then
    local last = min(13, count + passed)
    for i = last, 3 + passed, -1 do
      s[i] = s[i - passed]
      sum = sum + s[i]
    end
    for i = 3, 2 + passed do s[i] = 0 end
  else
    for i = count, 4, -1 do s[i] = nil end
    s[3] = 0
  end
  s[1], s[2] = part, sum
end

local count = tonumber(ARGV[2])
local out, o = { now }, 1 + 2 * count
local specs = {}
for i = 1, count do
  local spec = cjson.decode(ARGV[2 + i])
  local hit = spec[3][1]
  specs[i] = spec
  if spec[4] then
    local window = hit[4]
    hit.strict = hit[3] == 1
    hit.part = floor((hit.strict and now * 10 or now) / window)
    hit.ends = hit.strict and leaves(window, hit.part) or (hit.part + 1) * window
    out[2 * i], out[2 * i + 1] = hit.part, hit.ends - now
  else
    out[2 * i], out[2 * i + 1] = 0, 0
  end
end

-- Clients by key: read once for the whole batch, and written once. A counter is text until it is asked for.
local values = call('MGET', unpack(KEYS))
local clients, dirty = {}, {}
-- Keys that were written since: a later check of the batch reads them again.
local stale = {}
local function rawOf(i)
  local key = KEYS[i]
  if stale[key] then return call('GET', key) end
  return values[i]
end

-- A single hit of a window that is simply admitted, on a client with this counter and no more, as most are. False when it is not that
-- simple, and then nothing has changed.
local function plain(i, hit)
  local key = KEYS[i]
  if clients[key] then return false end
  local raw, name, cap, cost = rawOf(i), hit[2], hit[5], hit[7]
  local strict, part, ends = hit.strict, hit.part, hit.ends
  local used
  if not raw then
    used = cost
    if used > cap then return false end
    local x = ends + hit[4]
    raw = strict and pack('<BI6c8BI6I4I4', 1, x, name, 14, part, cost, cost) or pack('<BI6c8BI6I4', 1, x, name, 10, part, cost)
    call('SET', key, raw, 'PX', string.format('%.0f', x - now + grace))
  else
    -- Whatever the counter, there are 10 bytes of state at least; and a client may have none.
    if #raw < 26 then return false end
    local n, x, held, length, at, before = read('<BI6c8BI6I4', raw)
    if n ~= 1 or held ~= name or length + 16 ~= #raw or ends > x or at > part then return false end
    if at == part then
      used = before + cost
      if used > cap then return false end
      if strict then
        call('SETRANGE', key, 22, pack('<I4I4', used, read('<I4', raw, 27) + cost))
      else
        call('SETRANGE', key, 22, pack('<I4', used))
      end
    else
      local s = { part, 0 }
      if strict then
        s = { read(WINDOW[(length - 6) / 4], raw, 17) }
        s[#s] = nil
        turnWindow(s, hit[4])
        s[3] = s[3] + cost
      end
      used = s[2] + cost
      if used > cap then return false end
      s[2] = used
      call('SET', key, pack(WHOLE[#s - 1], n, x, name, 4 * #s + 2, unpack(s)), 'KEEPTTL')
    end
  end
  stale[key] = true
  o = o + 1
  out[o] = used - cap - 1
  return true
end

-- Made when a batch first needs it: most never do.
local function machinery()
${METERS_LUA}
${WHOLE_CHECK_LUA}
return whole, write
end

local whole, write
local key, same = 0, ARGV[3 + count] == nil
for c = count + 3, same and count + 2 + #KEYS / specs[1][2] or #ARGV do
  local spec = specs[same and 1 or tonumber(ARGV[c])]
  if not (spec[4] and plain(key + 1, spec[3][1])) then
    if not whole then whole, write = machinery() end
    whole(key, spec)
  end
  key = key + spec[2]
end

for name, client in pairs(dirty) do write(name, client) end
return out
`)
