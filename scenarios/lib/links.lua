-- Options of typical links, for whom the numbers do not matter much:
--
--   local links = require "links"
--   link(home, provider, links.dsl())
--   link(home, provider, links.dsl { delay = "8ms" })      one thing different
--
-- Where the two directions differ, up is from the first end, the user.

local links = {}

local kinds = {
    -- a switch and its cable; 38 bytes of preamble, header, checksum and gap
    ethernet = { rate = "1Gbit", delay = "50us", overhead = 38, queue = 1000 },
    wifi = { rate = "80Mbit", delay = "2ms", jitter = { kind = "pareto", amount = "1ms", keeps_order = true },
        loss = { kind = "gilbert-elliott", p = 0.002, r = 0.3, one_minus_h = 0.5 }, queue = 500 },
    dsl = { delay = "12ms", mtu = 1492, up = { rate = "10Mbit", queue = 200 }, down = { rate = "50Mbit", queue = 500 } },
    cable = { delay = "8ms", jitter = { kind = "uniform", amount = "2ms", keeps_order = true },
        up = { rate = "20Mbit", queue = "256KiB" }, down = { rate = "250Mbit", queue = "2MiB" } },
    -- a base station repeats on the air what is lost, and delays it: jitter, hardly a loss
    mobile = { delay = "25ms", jitter = { kind = "normal", amount = "6ms", keeps_order = true }, queue = 600,
        up = { rate = "8Mbit" }, down = { rate = "40Mbit" } },
    transatlantic = { rate = "10Gbit", delay = "38ms", queue = 5000 },
    -- 35,786 km up and down again
    satellite = { delay = "270ms", loss = "0.1%", up = { rate = "3Mbit", queue = 300 }, down = { rate = "50Mbit", queue = 1500 } },
}

local function copy(value)
    if type(value) ~= "table" then return value end
    local t = {}
    for k, v in pairs(value) do t[k] = copy(v) end
    return t
end

for name, options in pairs(kinds) do
    links[name] = function(changes)
        local t = copy(options)
        for k, v in pairs(changes or {}) do t[k] = v end
        return t
    end
end

return links
