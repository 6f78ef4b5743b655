-- A replay is given what the recorded program and machine did, step by step,
-- until it is equal: see docs/fidelity.md, "What replays are given".

local compare = require "compare"
local fit = require "fit"
local given = require "given"
local plans = require "plans"

local M = {}

local function with(inputs, more)
    local all = {}
    for _, list in ipairs { inputs, more } do
        for key, value in pairs(list) do all[key] = value end
    end
    return all
end

-- Returns the difference that is left, or nil and what was given: { words =, plan =, uptime = }.
function M.replay(variant, want, plain, zero, play)
    local inputs, known = given.of(want), not os.getenv("SEARCH") and plans[variant.name]
    local late = given.late(want)
    if variant.gap or variant.steps then inputs.injections = given.injections(want) end
    -- With the threads' calls known, the receive buffer's accounting is compared too.
    local exact = with(variant, { exact = true })

    local function difference(more, how) return compare.compare(want, play(variant, with(inputs, more)), how) end
    local function words(uptime, plan)
        local list = { "the relay's times" }
        if uptime then list[#list + 1] = ("ticks (uptime %.2f ms)"):format(uptime / 1000) end
        if plan then list[#list + 1] = "the threads' calls" end
        return table.concat(list, ", ")
    end

    if known then -- found before
        local more = { uptime = known.uptime }
        if known.plan then more.reads, more.writes = fit.given(want, known.plan, known.writer_waits) end
        local left = difference(more, known.plan and exact or variant)
        if left then return left end
        return nil, { words = words(known.uptime, known.plan), plan = known.plan, uptime = known.uptime }
    end

    local left = difference({}, variant)
    if not left then return nil, { words = words() } end
    if variant.known and not os.getenv("SEARCH") then return left end
    local uptime, is_equal = fit.phase {
        recorded = want, late = late, uptimes = given.uptimes(want, zero + late),
        play = function(at) return play(variant, with(inputs, { uptime = at })) end,
        is_equal = function(run) return not compare.compare(want, run, variant) end,
    }
    if is_equal then return nil, { words = words(uptime), uptime = uptime } end
    if not variant.threads or variant.known and not os.getenv("SEARCH") then return left end
    for _, try in ipairs { {}, { uptime = uptime }, { writer = true }, { writer = true, uptime = uptime } } do
        local plan, runs, why = fit.search {
            recorded = want, late = late, writer_waits = try.writer,
            play = function(reads, writes)
                return play(variant, with(inputs, { reads = reads, writes = writes, uptime = try.uptime }))
            end,
        }
        if not plan and os.getenv("SEARCH") then print("", ("after %d runs: %s"):format(runs, why)) end
        if plan then
            local reads, writes = fit.given(want, plan, try.writer)
            local last = difference({ reads = reads, writes = writes, uptime = try.uptime }, exact)
            if last then return last end
            return nil, { words = words(try.uptime, plan), plan = plan, uptime = try.uptime, writer_waits = try.writer }
        end
    end
    return plain
end

return M
