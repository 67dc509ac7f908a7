/*
 * A check that is not simple: several hits, a refusal, a strike, a ban, a lease, a client with more than one counter. `whole` counts it,
 * `write` writes a client that it changed.
 */
export const WHOLE_CHECK_LUA = `
local function banEnd(text)
  if not text then return nil end
  local at = tonumber(string.match(text, '^%d+'))
  if at == 0 then return FOREVER end
  return at > now and at or nil
end

local function open(i)
  local key = KEYS[i]
  local client = clients[key]
  if client then return client end
  local raw = rawOf(i)
  if raw then
    local n, x, at = read('<BI6', raw)
    client = { x = x, was = x, n = n, raw = raw, states = {}, meters = {}, windows = {}, names = {}, rest = false }
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
    client = { x = 0, was = 0, n = 0, states = {}, meters = {}, windows = {}, names = {}, rest = false }
  end
  clients[key] = client
  return client
end

local function stateOf(client, name, meter, window)
  local s = client.states[name]
  if not s then
    local more = client.rest and client.rest['c' .. name]
    if not more or more[2] <= now then return nil end
    s = meter.read(more[1], 1, #more[1])
    client.states[name], client.meters[name], client.windows[name] = s, meter, window
  elseif type(s) == 'number' then
    s = meter.read(client.raw, client[name], s)
    client.states[name], client.meters[name] = s, meter
  end
  meter.turn(s, window)
  return s
end

local function removeState(client, name)
  for c = 1, client.n do
    if client.names[c] == name then
      table.remove(client.names, c)
      client.n = client.n - 1
      client.states[name] = nil
      return
    end
  end
  client.states[name], client.windows[name], client.rest['c' .. name] = nil, nil, nil
end

local function setState(client, name, meter, s, window)
  if client.n == 255 then
    -- One byte says how many: those beyond are with the rest, until they end.
    client.windows[name] = window
    client.rest = client.rest or {}
  else
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
  if client.rest then
    for field, text in pairs(client.rest) do
      local over
      if type(text) == 'string' then over = not banEnd(text) else over = sub(field, 1, 1) == 'c' and text[2] <= now end
      if over then client.rest[field] = nil end
    end
    for counter, window in pairs(client.windows) do
      local s, meter = client.states[counter], client.meters[counter]
      client.rest['c' .. counter] = { meter.text(s), meter.ends(s, window) }
    end
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
    local ok = hit[7] < 0 or (not standing and not hit[10] and (hit[7] == 0 or used + before + hit[7] <= hit[5]))
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
        setState(client, field, meter, s, window)
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
    if hit[13] and consume and cost > 0 then
      -- What later hits of this check were admitted with on the same counter is theirs.
      local free = remaining
      for j = i + 1, #hits do
        local other = hits[j]
        if other[1] == hit[1] and other[2] == field and other[7] > 0 then free = free - other[7] end
      end
      if free > 0 then
        leased = min(hit[13], free)
        meter.add(s, window, limit, leased)
      end
    end
    local retry = 0
    if not ok then
      if standing then
        local ends = banEnd(standing)
        -- Of a ban without an end the reader says so: a client may read a number that large as another one.
        retry = ends == FOREVER and 0 or ends - now
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
      if s then removeState(client, field) end
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
`
