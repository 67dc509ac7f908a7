import { CLIENT_LUA } from './client-state.ts'
import { createScript, type Script } from './script.ts'

/*
 * The registry: `all` (hash: id -> entry as text), `ends` (sorted set: id by its end), `gone` (sorted set: id
 * of what was removed in the last day, by when), `log` (stream of changes, ids `<number>-0`), `meta`
 * (hash: epoch, number and nonce of the last change). The epoch is made with the registry, so a Redis that came back empty has another one;
 * the nonce tells a Redis that came back as it once was.
 */

const PRELUDE = `
local call = redis.call
local FOREVER = 9007199254740991
local function endOf(text)
  local at = tonumber(string.match(text, '^%d+'))
  return at == 0 and FOREVER or at
end
local function timeNow(given)
  local now = tonumber(given)
  if now then return now end
  local t = call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end
local function epochOf(meta, log, fresh)
  local epoch = call('HGET', meta, 'epoch')
  if epoch then return epoch end
  call('DEL', meta, log)
  call('HSET', meta, 'epoch', fresh)
  return fresh
end
`

const ANNOUNCE = `
local function announce(meta, log, channel, nonce, change)
  local number = call('HINCRBY', meta, 'seq', 1)
  call('HSET', meta, 'nonce', nonce)
  call('XADD', log, 'MAXLEN', '~', 2000, number .. '-0', 'n', nonce, 'c', change)
  call('PUBLISH', channel, number)
end
`

const MADE = `
local function madeAt(text)
  return tonumber(string.match(text, '"createdAt":(%d+)')) or 0
end
`

/**
 * KEYS: all, ends, gone, log, meta. ARGV: the time, a nonce, the channel, \`1\` when a copy gives back what it held, then id, entry and \`1\` for
 * a ban, of each. A ban is never shortened. What is given back undoes nothing that was put or removed later; answers the ids where it would.
 */
export const PUT_ENTRIES: Script = createScript(`${PRELUDE}${ANNOUNCE}${MADE}
local all, ends, gone, log, meta = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local now, again = timeNow(ARGV[1]), ARGV[4] == '1'
epochOf(meta, log, ARGV[2])
for _, id in ipairs(call('ZRANGEBYSCORE', ends, '-inf', string.format('%.0f', now), 'LIMIT', 0, 20)) do
  call('HDEL', all, id)
  call('ZREM', ends, id)
end
local changed, refused = {}, {}
for i = 5, #ARGV, 3 do
  local id, text, isBan = ARGV[i], ARGV[i + 1], ARGV[i + 2] == '1'
  local held = call('HGET', all, id)
  local stays = held and (held == text or (isBan and endOf(held) > now and endOf(held) >= endOf(text)))
  if again and not stays then
    -- Of two bans the longer one stays, whichever is older; of two others the later one.
    local removed = tonumber(call('ZSCORE', gone, id) or -1)
    if removed >= madeAt(text) or (held and not isBan and endOf(held) > now and madeAt(held) >= madeAt(text)) then
      stays = true
      refused[#refused + 1] = id
    end
  end
  if not stays then
    call('HSET', all, id, text)
    if endOf(text) == FOREVER then
      call('ZREM', ends, id)
    else
      call('ZADD', ends, string.format('%.0f', endOf(text)), id)
    end
    changed[#changed + 1] = string.sub(text, string.find(text, ' ', 1, true) + 1)
  end
end
if #changed > 0 then
  announce(meta, log, ARGV[3], ARGV[2], '{"put":[' .. table.concat(changed, ',') .. ']}')
end
return refused
`)

/**
 * KEYS: as above. ARGV: the time, a nonce, the channel, then for each the id and, when only that one is meant, its end (epoch ms; empty:
 * whatever it is). Removals are remembered, whether there was something or not: a copy that has not heard may still give it back.
 */
export const REMOVE_ENTRIES: Script = createScript(`${PRELUDE}${ANNOUNCE}${MADE}
local DAY, MOST = 86400000, 10000
local all, ends, gone, log, meta = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local now = timeNow(ARGV[1])
epochOf(meta, log, ARGV[2])
local removed = {}
for i = 4, #ARGV, 2 do
  local id, only = ARGV[i], ARGV[i + 1]
  local held = call('HGET', all, id)
  if only == '' then
    -- Not earlier than it was made, though by another clock.
    call('ZADD', gone, string.format('%.0f', math.max(now, held and madeAt(held) or 0)), id)
  end
  if held and (only == '' or string.match(held, '^%d+') == only) then
    call('HDEL', all, id)
    call('ZREM', ends, id)
    removed[#removed + 1] = cjson.encode(id)
  end
end
call('ZREMRANGEBYSCORE', gone, '-inf', string.format('%.0f', now - DAY))
call('ZREMRANGEBYRANK', gone, 0, -MOST - 1)
call('PEXPIRE', gone, DAY)
if #removed > 0 then
  announce(meta, log, ARGV[3], ARGV[2], '{"removed":[' .. table.concat(removed, ',') .. ']}')
end
return #removed
`)

/** KEYS: log, meta. ARGV: a fresh epoch, the number of the last change that is known (empty: none asked for), how many at most. */
export const CHANGES: Script = createScript(`${PRELUDE}
local log, meta = KEYS[1], KEYS[2]
local epoch = epochOf(meta, log, ARGV[1])
local last = call('HMGET', meta, 'seq', 'nonce')
local number = tonumber(last[1] or 0)
local out = { epoch, number, last[2] or '' }
local since = tonumber(ARGV[2])
if since and number > since then
  -- From the known one on: that it is still there, and the same, proves that nothing is missed.
  out[4] = call('XRANGE', log, math.max(since, 1) .. '-0', '+', 'COUNT', ARGV[3])
end
return out
`)

/** KEYS: clients, see `client-state.ts`. ARGV: the time, then for each the field and the ban as text. */
export const PUT_OWN_BANS: Script = createScript(`${PRELUDE}${CLIENT_LUA}
local now = timeNow(ARGV[1])
local grace = ARGV[1] == '' and 0 or 3600000
for i, key in ipairs(KEYS) do
  local field, text = ARGV[2 * i], ARGV[2 * i + 1]
  local client = readClient(call('GET', key))
  local held, ends = client.rest[field], endOf(text)
  if ends > now and not (held and endOf(held) > now and endOf(held) >= ends) then
    client.rest[field] = text
    client.x = math.min(math.max(client.x, ends), NEVER)
    writeClient(key, client, client.x - now + grace)
  end
end
return {}
`)

/** KEYS: clients. ARGV: the time, then for each the field of a ban. Answers for each when that ends (0: never), -1 for none. */
export const READ_OWN_BANS: Script = createScript(`${PRELUDE}${CLIENT_LUA}
local out = {}
for i, key in ipairs(KEYS) do
  local held = readClient(call('GET', key)).rest[ARGV[i + 1]]
  out[i] = held and tonumber(string.match(held, '^%d+')) or -1
end
return out
`)

/**
 * KEYS: clients. ARGV: the time, then for each the field of a ban that goes, or \`s\` for all its strikes. A client that was kept for ever because
 * of a ban is kept for as long as anything else can count. Answers for each the bans that stay, as text.
 */
export const CLEAR_CLIENTS: Script = createScript(`${PRELUDE}${CLIENT_LUA}
local DAY = 86400000
local now = timeNow(ARGV[1])
local out = {}
for i, key in ipairs(KEYS) do
  local raw, bans = call('GET', key), {}
  if raw then
    local client, field = readClient(raw), ARGV[i + 1]
    local forever, ttl = false, nil
    for name, value in pairs(client.rest) do
      if name == field or (field == 's' and string.sub(name, 1, 1) == 's') then
        client.rest[name] = nil
      elseif type(value) == 'string' then
        bans[#bans + 1] = value
        if endOf(value) == FOREVER then forever = true end
      end
    end
    if client.x == NEVER and not forever then
      ttl = (next(client.rest) and 400 or 32) * DAY
      client.x = now + ttl
    end
    writeClient(key, client, ttl)
  end
  out[i] = bans
end
return out
`)

/** KEYS: the clients with strikes, by when those are forgotten. ARGV: the time, then that and the client, of each. */
export const ADD_STRUCK: Script = createScript(`
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
for i = 2, #ARGV, 2 do redis.call('ZADD', KEYS[1], 'GT', ARGV[i], ARGV[i + 1]) end
return 1
`)
