-- What a recording shows of its program, as input to a replay: when the relay
-- delivered each packet, when calls began, when reader and writer were at work.
-- Times are the recording's: seconds since its relay read the first packet.
local I = {}

local function numbers(text)
    local list = {}
    for word in text:gmatch("[^,]+") do list[#list + 1] = tonumber(word) or false end -- "-": not delivered
    return list
end

-- "from-middle-to,...": calls that held their socket from one time to another,
-- and began in the middle to process what had come meanwhile. With "!" what
-- came is not read any more, "." ends the list: nothing after it.
local function spans(text)
    if text == "" then return nil end
    local list = { is_all = text:sub(-1) == "." }
    for from, middle, to, leaves in text:gmatch("([%d.]*%d)%-([%d.]*)%-([%d.]*%d)(!?)") do
        list[#list + 1] = { from = tonumber(from), middle = tonumber(middle), to = tonumber(to), leaves = leaves == "!" }
    end
    return list
end

function I.read(given)
    if given.relay ~= "" then
        I.relay = {}
        for part in given.relay:gmatch("[^;]+") do
            local dir, list = part:match("^([AB]>[AB]):(.*)$")
            if dir then I.relay[dir] = numbers(list) else I.late = tonumber(part) end
        end
    end
    I.begins = {}
    for part in given.calls:gmatch("[^;]+") do
        local op, list = part:match("^(.*):([^:]*)$")
        I.begins[op] = numbers(list)
    end
    I.lives = I.begins["A lives"]
    if given.injections ~= "" then I.injections = numbers(given.injections) end
    I.reads, I.writes = spans(given.reads), spans(given.writes)
end

-- Now, in the recording's time; nil before the first packet.
function I.now() return I.zero and now() - I.zero end

function I.sleep_until(t)
    if I.zero and t > I.now() then sleep(t - I.now()) end
end

-- The fates that the recorded relay gave to what came from one end. What it did not
-- deliver is dropped with I.drops, and else left to the family's own rules.
local function fates(dir)
    local times, n = {}, 0
    for _, at in ipairs(I.relay[dir] or {}) do
        if at or I.drops then times[#times + 1] = at end
    end
    return function()
        n = n + 1
        I.zero = I.zero or now() + I.late -- the relay had read the first packet a little after it was sent
        if times[n] then return { "delay", by = math.max(times[n] - I.now(), 0) } end
        if times[n] == false then return "drop" end
    end
end

local MAKES_RULES = { script = true, drop = true, delay = true, copy = true }

-- The relay between A's end of one link and B's end of another does what the
-- recorded one did. Returns what the family takes for the first link: the rules
-- that it makes there come before the relay's (with I.drops: after).
function I.play(wire_a, wire_b, a, b)
    if not I.relay then return wire_a end
    local from_a, from_b, rules = fates("A>B"), fates("B>A"), {}
    local function install()
        for _, rule in ipairs(rules) do rule:cancel() end
        rules = { wire_a:script({ from = a }, from_a), wire_b:script({ from = b }, from_b) }
    end
    install()
    if I.drops then return wire_a end
    return setmetatable({}, { __index = function(_, name)
        return function(_, ...)
            local result = table.pack(wire_a[name](wire_a, ...))
            if MAKES_RULES[name] then install() end
            return table.unpack(result, 1, result.n)
        end
    end })
end

-- Before a player sends: waits until the recorded one's segment arrived. The
-- first packet may be an injected one.
function I.await_injection()
    if not I.injections then return end
    I.zero = I.zero or now()
    I.sleep_until(table.remove(I.injections, 1) or 0)
end

-- Before a call: waits until the recorded one began.
function I.await(op)
    local list = I.begins and I.begins[op]
    local at = list and table.remove(list, 1)
    if at then I.sleep_until(at) end
end

local function never_again(list)
    if list and list.is_all then
        while true do sleep("1000s") end
    end
end

-- Reads all that comes: as fast as it comes, or when the recorded reader did.
-- A call took what it found when it began and when it had processed what came meanwhile.
function I.reader(conn, took, ended)
    local function take(options)
        local data, err = conn:recv(65536, options)
        if data and data ~= "" then took(#data) end
        return data ~= "" and (data or err == "TIMEOUT")
    end
    for _, call in ipairs(I.reads or {}) do
        I.sleep_until(call.from)
        conn:lock()
        local goes_on = take { timeout = 0 }
        if call.middle then
            I.sleep_until(call.middle)
            conn:catch_up()
        end
        I.sleep_until(call.to)
        if not call.leaves then goes_on = goes_on and take { timeout = 0 } end
        conn:unlock()
        if not goes_on then break end
    end
    never_again(I.reads)
    while take() do end
    if ended then ended() end
end

-- send() of n bytes; where it waits for room, goes on as soon as there is some,
-- or when the recorded writer did. Returns true, or nil and an error.
function I.send(conn, n)
    if not I.writes then
        local sent, err = conn:send(n)
        return sent and true, err
    end
    local left = n
    local function put(is_rest)
        local sent, err, part = conn:send(left, { timeout = 0, rest = is_rest })
        left = left - (sent or part or 0)
        return sent or err == "TIMEOUT", err
    end
    local goes_on, err = put()
    while goes_on and left > 0 and I.writes[1] do
        local call = table.remove(I.writes, 1)
        I.sleep_until(call.from)
        if conn:writable() then
            conn:lock()
            goes_on, err = put(true)
            I.sleep_until(call.to)
            conn:unlock()
        end
    end
    if not goes_on then return nil, err end
    if left > 0 then
        if I.writes.is_all then return true end -- the plan ends here: so does the writing
        return conn:send(left, { rest = true }) and true
    end
    return true
end

return I
