-- Scenarios run in a sandbox of their own: these are the words it gives them.
std = {
    read_globals = {
        "assert", "error", "ipairs", "next", "pairs", "pcall", "print", "select", "tonumber", "tostring",
        "type", "xpcall", "setmetatable", "getmetatable", "rawget", "rawset", "rawequal", "rawlen",
        "math", "string", "table", "utf8", "coroutine", "require",
    },
}
max_line_length = 120
allow_defined_top = true
unused_args = false
local words = {
    "scenario", "params", "world", "host", "router", "link", "run", "run_until", "now", "sleep", "spawn", "at",
    "after", "every", "expect", "packets", "say", "log", "result", "time", "rate", "size", "time_text",
}
files["scenarios"] = { read_globals = words }
files["tests"] = { read_globals = words }
-- It makes what the others find.
files["scenarios/lib/prelude.lua"] = { globals = { "pairs", "next", "expect", "packets" }, ignore = { "131" } }
