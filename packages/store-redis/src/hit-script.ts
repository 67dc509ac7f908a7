import { createScript, type Script } from './script.ts'

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

local meters = {
  -- strict window
  {
    read = function(raw, at, length)
      local s = { read(WINDOW[(length - 6) / 4], raw, at) }
      s[#s] = nil
      return s
    end,
    text = function(s) return pack(WINDOW[#s - 1], unpack(s)) end,
    start = function(w) return { floor(now * 10 / w), 0, 0 } end,
    turn = function(s, w)
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
    end,
    used = function(s) return s[2] end,
    add = function(s, w, limit, cost, slot)
      local i = 3
      if cost < 0 then
        local late = (s[1] - slot) % 4294967296
        if late > 10 then return end
        i = i + late
        cost = max(cost, -(s[i] or 0))
        if not s[i] then return end
      end
      s[i] = s[i] + cost
      s[2] = s[2] + cost
    end,
    slot = function(w) return floor(now * 10 / w) end,
    reset = function(s, w)
      for i = 3, #s do
        if s[i] ~= 0 then return leaves(w, s[1] + 3 - i) end
      end
      return now
    end,
    free = function(s, w, limit, excess)
      for age = 10, 0, -1 do
        excess = excess - (s[3 + age] or 0)
        if excess <= 0 then return leaves(w, s[1] - age) end
      end
      return leaves(w, s[1])
    end,
    ends = function(s, w) return leaves(w, s[1]) end,
    part = function(s, w) return ceil((s[1] + 1) * w / 10) end,
  },
  -- fixed window
  {
    read = function(raw, at)
      local number, used = read('<I6I4', raw, at)
      return { number, used }
    end,
    text = function(s) return pack('<I6I4', s[1], s[2]) end,
    start = function(w) return { floor(now / w), 0 } end,
    turn = function(s, w)
      local number = floor(now / w)
      if number > s[1] then s[1], s[2] = number, 0 end
    end,
    used = function(s) return s[2] end,
    add = function(s, w, limit, cost, slot)
      if cost < 0 and (s[1] - slot) % 4294967296 ~= 0 then return end
      s[2] = max(0, s[2] + cost)
    end,
    slot = function(w) return floor(now / w) end,
    reset = function(s, w) return (s[1] + 1) * w end,
    free = function(s, w) return (s[1] + 1) * w end,
    ends = function(s, w) return (s[1] + 1) * w end,
    part = function(s, w) return (s[1] + 1) * w end,
  },
  -- token bucket
  {
    read = function(raw, at)
      local used, when, free = read('<dI6I6', raw, at)
      return { used, when, free }
    end,
    text = function(s) return pack('<dI6I6', s[1], s[2], min(s[3], NEVER)) end,
    start = function() return { 0, now, now } end,
    turn = function() end,
    used = function(s, w, limit) return max(0, s[1] - max(0, now - s[2]) / w * limit) end,
    add = function(s, w, limit, cost)
      local at = cost < 0 and s[2] or max(now, s[2])
      local used = max(0, max(0, s[1] - max(0, at - s[2]) / w * limit) + cost)
      s[1], s[2] = used, at
      s[3] = used == 0 and at or (limit > 0 and at + ceil(used / limit * w) or FOREVER)
    end,
    slot = function() return 0 end,
    reset = function(s) return max(now, s[3]) end,
    free = function(s, w, limit, excess)
      return max(now, s[2]) + (limit > 0 and ceil(excess / limit * w) + 1 or w)
    end,
    ends = function(s) return s[3] end,
  },
}

local function banEnd(text)
  if not text then return nil end
  local at = tonumber(string.match(text, '^%d+'))
  if at == 0 then return FOREVER end
  return at > now and at or nil
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

local function open(i)
  local key = KEYS[i]
  local client = clients[key]
  if client then return client end
  local raw = rawOf(i)
  if raw then
    local n, x, at = read('<BI6', raw)
    client = { x = x, was = x, n = n, raw = raw, states = {}, meters = {}, names = {}, rest = false }
    for c = 1, n do
      local name, length
      name, length, at = read('<c8B', raw, at)
      client.names[c] = name
      client[name] = at
      client.states[name] = length
      at = at + length
    end
    client.rest = at <= #raw and cmsgpack.unpack(sub(raw, at)) or false
  else
    client = { x = 0, was = 0, n = 0, states = {}, meters = {}, names = {}, rest = false }
  end
  clients[key] = client
  return client
end

local function stateOf(client, name, meter, window)
  local s = client.states[name]
  if not s then return nil end
  if type(s) == 'number' then
    s = meter.read(client.raw, client[name], s)
    client.states[name], client.meters[name] = s, meter
  end
  meter.turn(s, window)
  return s
end

local function setState(client, name, meter, s)
  if client.states[name] == nil then
    client.n = client.n + 1
    client.names[client.n] = name
  end
  client.states[name], client.meters[name] = s, meter
end

-- A key is kept a window longer than it counts, so that not every hit has to move its expiry.
local function keep(client, ends, slack)
  if ends > client.x then client.x = min(ends + slack, NEVER) end
end

local function write(name, client)
  local parts = { pack('<BI6', client.n, client.x) }
  for c = 1, client.n do
    local counter = client.names[c]
    local s = client.states[counter]
    local text
    if type(s) == 'number' then
      text = sub(client.raw, client[counter], client[counter] + s - 1)
    else
      text = client.meters[counter].text(s)
    end
    parts[#parts + 1] = pack('<c8B', counter, #text)
    parts[#parts + 1] = text
  end
  if client.rest and next(client.rest) then parts[#parts + 1] = cmsgpack.pack(client.rest) end
  local raw = table.concat(parts)
  if client.x == client.was then
    call('SET', name, raw, 'KEEPTTL')
  elseif client.x == NEVER then
    call('SET', name, raw)
  else
    call('SET', name, raw, 'PX', string.format('%.0f', client.x - now + grace))
  end
end

local function standingBan(client, fields)
  local rest = client.rest
  if not rest then return nil end
  for b = 1, #fields do
    local text = rest[fields[b]]
    if text and banEnd(text) then return text end
  end
  return nil
end

-- Adds a strike, unless this window had one; answers how many count, and the ban that they bring about.
local function climb(client, hit, ladder, commit, standing)
  local field, exempt, most, decay, tiers, factor, ban, tail = unpack(ladder)
  client.rest = client.rest or {}
  local sheet = client.rest[field] or { 0 }
  local struck = commit ~= 2 and not exempt and not standing
  if struck and not hit[10] then
    if sheet[1] > 0 and now - sheet[1] < hit[4] then struck = false else sheet[1] = now end
  end
  if not struck and commit ~= 2 then return nil end
  if struck then
    sheet[#sheet + 1] = now
    if #sheet > most + 1 then table.remove(sheet, 2) end
    client.rest[field] = sheet
    keep(client, now + decay, 0)
  end
  local times = {}
  for i = 2, #sheet do
    if now - sheet[i] < decay then times[#times + 1] = sheet[i] end
  end
  if struck then
    for i = #tiers, 1, -1 do
      local tier = tiers[i]
      local oldest = times[#times - tier[1] + 1]
      if oldest and now - oldest < tier[2] then
        local ends = now + ceil(tier[3] * factor)
        local text = string.format('%.0f {"kind":"ban","createdAt":%.0f,"expiresAt":%.0f,"tier":', ends, now, ends) .. tier[4] .. tail
        return #times, true, text, ban, ends
      end
    end
  end
  return #times, struck
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
        meters[1].turn(s, hit[4])
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

local function whole(from, spec)
  local commit, hits = spec[1], spec[3]
  local live = commit == 0
  local shadow = live
  local first = {}
  for i = 1, #hits do
    local hit = hits[i]
    local client, field, window = open(from + hit[1]), hit[2], hit[4]
    local meter = meters[hit[3]]
    local s = window > 0 and stateOf(client, field, meter, window)
    local used = s and meter.used(s, window, hit[6]) or 0
    local standing = standingBan(client, hit[11])
    local before = 0
    for j = 1, i - 1 do
      local other = hits[j]
      if other[1] == hit[1] and other[2] == field and other[7] > 0 then before = before + other[7] end
    end
    local ok = not standing and not hit[10] and (hit[7] <= 0 or used + before + hit[7] <= hit[5])
    first[i] = { ok, standing, before }
    if not ok then
      if not hit[9] then live = false end
      shadow = false
    end
  end
  local bans = {}
  for i = 1, #hits do
    local hit, ok, standing = hits[i], first[i][1], first[i][2]
    local key = from + hit[1]
    local client, field, window, cap, limit, cost = open(key), hit[2], hit[4], hit[5], hit[6], hit[7]
    local meter = meters[hit[3]]
    local consume = live
    if hit[9] then consume = shadow and live end
    local s = window > 0 and stateOf(client, field, meter, window)
    if consume and cost ~= 0 and window > 0 then
      if not s and cost > 0 then
        s = meter.start(window)
        setState(client, field, meter, s)
      end
      if s then
        meter.add(s, window, limit, cost, hit[8] or meter.slot(window))
        keep(client, meter.ends(s, window), window)
        dirty[KEYS[key]] = client
      end
    end
    local used = s and meter.used(s, window, limit) or 0
    local remaining = max(0, floor(cap - used))
    local leased
    if hit[13] and consume and cost > 0 and remaining > 0 then
      leased = min(hit[13], remaining)
      meter.add(s, window, limit, leased)
    end
    local retry = 0
    if not ok then
      if standing then
        local ends = banEnd(standing)
        retry = ends == FOREVER and FOREVER or ends - now
      elseif s then
        retry = ceil(meter.free(s, window, limit, used + first[i][3] + cost - cap) - now)
      else
        retry = window
      end
    end
    local reset = s and ceil(meter.reset(s, window) - now) or 0
    local strikes, struck, made, ban, ends
    if hit[12] and (not ok or commit == 2 or hit[10]) then
      strikes, struck, made, ban, ends = climb(client, hit, hit[12], commit, standing)
      if struck then dirty[KEYS[key]] = client end
    end
    local f = o + 1
    local flags = ok and 1 or 0
    out[f + 1], out[f + 2], out[f + 3], out[f + 4] = remaining, reset, retry, window > 0 and meter.slot(window) or 0
    o = f + 4
    if strikes then
      flags = flags + 2
      o = o + 1
      out[o] = strikes
    end
    if standing then
      flags = flags + 4
      o = o + 1
      out[o] = standing
    end
    if made then
      flags = flags + 8
      o = o + 1
      out[o] = made
      bans[#bans + 1] = { client, ban, made, ends }
      -- What was counted has brought the ban about: it starts from zero after it.
      if s then setState(client, field, meter, meter.start(window)) end
    end
    if leased then
      flags = flags + 16
      out[o + 1], out[o + 2] = leased, meter.part(s, window) - now
      o = o + 2
    end
    out[f] = flags
  end
  -- Last: hits of one check see the bans that stood before it.
  for i = 1, #bans do
    local client, field, text, ends = unpack(bans[i])
    local held = client.rest[field] and banEnd(client.rest[field])
    if not held or held < ends then client.rest[field] = text end
    keep(client, ends, 0)
  end
end

local key, same = 0, ARGV[3 + count] == nil
for c = count + 3, same and count + 2 + #KEYS / specs[1][2] or #ARGV do
  local spec = specs[same and 1 or tonumber(ARGV[c])]
  if not (spec[4] and plain(key + 1, spec[3][1])) then whole(key, spec) end
  key = key + spec[2]
end

for name, client in pairs(dirty) do write(name, client) end
return out
`)
