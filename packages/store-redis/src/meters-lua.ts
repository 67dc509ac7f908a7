/*
 * The three algorithms as the script needs them, answer for answer those of the counters in memory. A state is a table:
 * strict window { part, sum, count of that part, of the one before, ... }; fixed window { window, used }; token bucket { used, when, when empty }.
 */
export const METERS_LUA = `
-- What is in a bucket. With a limit of 0 nothing leaks; all is forgotten at once.
local function level(s, w, limit, at)
  if limit == 0 then return at < s[3] and s[1] or 0 end
  return max(0, s[1] - max(0, at - s[2]) / w * limit)
end

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
    turn = turnWindow,
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
    used = function(s, w, limit) return level(s, w, limit, now) end,
    add = function(s, w, limit, cost)
      local at = cost < 0 and s[2] or max(now, s[2])
      local used = max(0, level(s, w, limit, at) + cost)
      s[1], s[2] = used, at
      s[3] = at + (used == 0 and 0 or limit > 0 and ceil(used / limit * w) or w)
    end,
    slot = function() return 0 end,
    reset = function(s) return max(now, s[3]) end,
    free = function(s, w, limit, excess)
      if limit == 0 then return s[3] > now and s[3] or now + w end
      return max(now, s[2]) + ceil(excess / limit * w) + 1
    end,
    ends = function(s) return s[3] end,
  },
}
`
