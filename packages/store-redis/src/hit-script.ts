import { createScript, type Script } from './script.ts'

/**
 * All checks of one event-loop turn, each with the counters, strikes and bans of its clients, in one atomic step.
 *
 * KEYS: for each check, its clients' hashes. ARGV: the time (empty: the server's own), how many different specs there are, the specs, and
 * for each check which of them it is. A spec is JSON, see `hit-spec.ts`; it is parsed once however many checks of a batch have it.
 *
 * Reply, flat: the time; for each hit flags, remaining, resetIn, retryIn, slot, and what the flags announce: 2 strikes, 4 the ban
 * that stood, 8 the ban made now, 16 how much was leased and for how long.
 *
 * State of a counter, packed: strict window { part, sum, count of that part, of the one before, ... }; fixed window { window, used };
 * token bucket { used, when, when empty }. Field `x` of a hash is when it expires, so that not every hit has to say so again.
 */
export const HIT_SCRIPT: Script = createScript(`
local floor, ceil, max, min = math.floor, math.ceil, math.max, math.min
local pack, unpackm, call = cmsgpack.pack, cmsgpack.unpack, redis.call
local FOREVER = 9007199254740991
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

local meters = {
  -- strict window
  {
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

local out, o = { now }, 1
local k = 0
local count = tonumber(ARGV[2])
local specs = {}
for i = 1, count do specs[i] = cjson.decode(ARGV[2 + i]) end

-- What a check holds of one hash: what was read, the counters unpacked, and what is to be written.
local function open(key, fields)
  local values = call('HMGET', key, unpack(fields))
  return { key = key, values = values, fields = fields, states = {}, write = {}, until_ = 0, drop = nil }
end

local function stateOf(hash, at, meter, window)
  local s = hash.states[at]
  if s == nil then
    local raw = hash.values[at]
    s = false
    if raw then
      s = unpackm(raw)
      meter.turn(s, window)
    end
    hash.states[at] = s
  end
  return s
end

-- Adds a strike, unless this window had one; answers how many count, and the ban that they bring about.
local function climb(hash, hit, ladder, commit, standing)
  local field, exempt, most, decay, tiers, factor, ban, tail = unpack(ladder)
  local raw = call('HGET', hash.key, field)
  local sheet = raw and unpackm(raw) or { 0 }
  local struck = commit ~= 2 and not exempt and not standing
  if struck and not hit[10] then
    if sheet[1] > 0 and now - sheet[1] < hit[4] then struck = false else sheet[1] = now end
  end
  if struck then
    sheet[#sheet + 1] = now
    if #sheet > most + 1 then table.remove(sheet, 2) end
    call('HSET', hash.key, field, pack(sheet))
    hash.until_ = max(hash.until_, now + decay)
  end
  if not struck and commit ~= 2 then return nil end
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
        return #times, text, ban, ends
      end
    end
  end
  return #times
end

for c = count + 3, #ARGV do
  local spec = specs[tonumber(ARGV[c])]
  local commit, lists, hits = spec[1], spec[2], spec[3]
  local hashes = {}
  for i = 1, #lists do
    k = k + 1
    hashes[i] = open(KEYS[k], lists[i])
  end
  local live = commit == 0
  local shadow = live
  local first = {}
  for i = 1, #hits do
    local hit = hits[i]
    local hash, at, window = hashes[hit[1]], hit[2], hit[4]
    local meter = meters[hit[3]]
    local used = 0
    if window > 0 then
      local s = stateOf(hash, at, meter, window)
      if s then used = meter.used(s, window, hit[6]) end
    end
    local standing
    for b = 1, #hit[11] do
      standing = standing or (banEnd(hash.values[hit[11][b]]) and hash.values[hit[11][b]])
    end
    local before = 0
    for j = 1, i - 1 do
      local other = hits[j]
      if other[1] == hit[1] and other[2] == at and other[7] > 0 then before = before + other[7] end
    end
    local ok = not standing and not hit[10] and (hit[7] <= 0 or used + before + hit[7] <= hit[5])
    first[i] = { ok, standing, before, used }
    if not ok then
      if not hit[9] then live = false end
      shadow = false
    end
  end
  local bans
  for i = 1, #hits do
    local hit, ok, standing = hits[i], first[i][1], first[i][2]
    local hash, at, window, cap, limit, cost = hashes[hit[1]], hit[2], hit[4], hit[5], hit[6], hit[7]
    local meter = meters[hit[3]]
    local consume = live
    if hit[9] then consume = shadow and live end
    local s = window > 0 and stateOf(hash, at, meter, window)
    local used = s and meter.used(s, window, limit) or 0
    local leased
    if consume and cost ~= 0 and window > 0 then
      if not s and cost > 0 then
        s = meter.start(window)
        hash.states[at] = s
      end
      if s then
        meter.add(s, window, limit, cost, hit[8] or meter.slot(window))
        used = meter.used(s, window, limit)
        hash.write[at] = true
        hash.until_ = max(hash.until_, meter.ends(s, window) + window)
      end
    end
    local remaining = max(0, floor(cap - used))
    if hit[13] and consume and cost > 0 and remaining > 0 then
      leased = min(hit[13], remaining)
      meter.add(s, window, limit, leased, 0)
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
    local flags = ok and 1 or 0
    local strikes, made, field, ends
    if hit[12] and (not ok or commit == 2 or hit[10]) then
      strikes, made, field, ends = climb(hash, hit, hit[12], commit, standing)
    end
    local reset = s and ceil(meter.reset(s, window) - now) or 0
    local f = o + 1
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
      bans = bans or {}
      bans[#bans + 1] = { hash, field, made, ends }
      -- What was counted brought the ban about; it starts from zero after it.
      if window > 0 then
        hash.states[at] = false
        hash.write[at] = nil
        call('HDEL', hash.key, hash.fields[at])
      end
    end
    if leased then
      flags = flags + 16
      out[o + 1], out[o + 2] = leased, meter.part(s, window) - now
      o = o + 2
    end
    out[f] = flags
  end
  if bans then
    for i = 1, #bans do
      local hash, field, text, ends = unpack(bans[i])
      local held = banEnd(call('HGET', hash.key, field))
      if not held or held < ends then call('HSET', hash.key, field, text) end
      hash.until_ = max(hash.until_, held or 0, ends)
    end
  end
  for i = 1, #hashes do
    local hash = hashes[i]
    local expires = tonumber(hash.values[1]) or 0
    local args, a = {}, 0
    for at in pairs(hash.write) do
      args[a + 1], args[a + 2] = hash.fields[at], pack(hash.states[at])
      a = a + 2
    end
    local later = hash.until_ > expires
    if later then
      args[a + 1], args[a + 2] = 'x', string.format('%.0f', hash.until_)
      a = a + 2
    end
    if a > 0 then call('HSET', hash.key, unpack(args)) end
    if later then
      if hash.until_ >= FOREVER then
        call('PERSIST', hash.key)
      else
        call('PEXPIRE', hash.key, string.format('%.0f', hash.until_ - now + grace))
      end
    end
  end
end
return out
`)
