/*
 * A client in Redis is one string, so that it is one key with one expiry, read and written in one piece:
 *
 *   counters (1 byte), expiry (6 bytes, epoch ms; all ones: never), then for each counter its name (8 bytes), a length (1 byte) and its state:
 *     strict window  part (6), sum (4), count of that part (4), of the one before (4), ...
 *     fixed window   window (6), used (4)
 *     token bucket   used (double), when (6), when it will be empty (6)
 *   and, only of a client that went over a limit or has more than 255 counters, a packed map of the rest:
 *     `s<counter>`   strikes: when the limit itself struck last, then when each strike was, oldest first
 *     `c<counter>`   a counter beyond the 255th: its state, and when it ends
 *     `b`, `b<scope>` bans as text, see `stored-entry.ts`
 *
 * Numbers are little-endian and unsigned. `x` in the scripts is the expiry: a key is kept for a window longer than it counts, so that not
 * every hit has to move it.
 */

/** Lua that reads and writes a client as far as those need who do not count. */
export const CLIENT_LUA = `
local NEVER = 281474976710655
local function readClient(raw)
  if not raw then return { n = 0, x = 0, counters = '', rest = {} } end
  local n, x, at = struct.unpack('<BI6', raw)
  for _ = 1, n do
    local _, length, after = struct.unpack('<c8B', raw, at)
    at = after + length
  end
  local rest = at <= #raw and cmsgpack.unpack(string.sub(raw, at)) or {}
  return { n = n, x = x, counters = string.sub(raw, 8, at - 1), rest = rest }
end
local function writeClient(key, client, ttl)
  if client.n == 0 and not next(client.rest) then
    redis.call('DEL', key)
    return
  end
  local rest = next(client.rest) and cmsgpack.pack(client.rest) or ''
  local raw = struct.pack('<BI6', client.n, client.x) .. client.counters .. rest
  if not ttl then
    redis.call('SET', key, raw, 'KEEPTTL')
  elseif client.x == NEVER then
    redis.call('SET', key, raw)
  else
    redis.call('SET', key, raw, 'PX', string.format('%.0f', ttl))
  end
end
`
