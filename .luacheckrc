-- Scenarios run in a sandbox of their own: these are the words that
-- scenarios/runtime gives them beside what is left of Lua's library.
local scenario = {
    read_globals = {
        "assert", "error", "getmetatable", "ipairs", "next", "pairs", "pcall", "print", "rawequal", "rawget", "rawlen",
        "rawset", "require", "select", "setmetatable", "tonumber", "tostring", "type", "xpcall",
        "coroutine", "math", "string", "table", "utf8",
        "after", "at", "every", "expect", "host", "link", "log", "now", "packets", "params", "rate", "result", "router", "run",
        "run_until", "say", "scenario", "size", "sleep", "spawn", "time", "time_text", "world",
    },
}

std = scenario
max_line_length = 140
allow_defined_top = true
unused_args = false

-- What replays the kernel's recordings is a program beside the simulator.
files["tests/truth/*.lua"] = { std = "lua54", max_line_length = false }
files["tests/scenarios/c*.lua"] = { std = "lua54", max_line_length = 140 }
files["tests/truth/families"] = { std = scenario, max_line_length = false }
-- Defines some of those words.
files["scenarios/lib/prelude.lua"] = { globals = { "expect", "packets", "params" }, ignore = { "131" } }
