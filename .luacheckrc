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
files["scenarios"] = {
    read_globals = {
        "scenario", "host", "router", "link", "run", "expect", "at", "after", "every", "params", "spawn",
        "sleep", "now", "log", "say", "rng", "seed", "profile", "counter", "counters", "topology", "attack",
        "crowd", "series", "inject", "segment", "packet", "note", "net",
    },
}
