-- Holds docs/claims.md to the tree, as TAP: every claim has its line, every line
-- a scenario that is there, and every number that was recorded is held by
-- something that is there too: the code spans of the last column stand in the
-- file that is named before them, or are recordings that `make truth` finds equal.

package.path = "tests/truth/?.lua;" .. package.path

local page = "docs/claims.md"
-- Those that were seen on a real kernel; a to d are beyond the textbooks.
local RECORDED = { "12", "14", "15", "22", "24", "26", "27", "30", "31", "32", "38", "39", "42", "44", "46", "47", "50", "51",
    "52", "55", "a", "b", "c", "d" }
local VERDICTS = { ["✓"] = true, ["~"] = true, ["✗"] = true, ["–"] = true }

local n, failed = 0, false
local function report(what, problems)
    n = n + 1
    print(("%s %d - %s"):format(#problems == 0 and "ok" or "not ok", n, what))
    for _, problem in ipairs(problems) do print("# " .. problem) end
    failed = failed or #problems > 0
end

local function read_file(path)
    local file = io.open(path)
    if not file then return nil end
    local text = file:read("a")
    file:close()
    return text
end

local function rows_of(text)
    local rows = {}
    for line in text:gmatch("[^\n]+") do
        local key = line:match("^| (%d+) |") or line:match("^| (%l) |")
        if key then
            local cells = {}
            for cell in line:gmatch("| ([^|]*) %f[|]") do cells[#cells + 1] = cell end
            rows[#rows + 1] = { key = key, claim = cells[2], verdict = cells[3], rfc = cells[4], linux = cells[5],
                scenario = cells[6], held = cells[7], n = #cells }
        end
    end
    return rows
end

local function equal_recordings()
    local equal = {}
    for _, variant in ipairs(require "variants") do
        equal[variant.name] = not variant.known and not variant.out_of_scope
    end
    return equal
end

-- What is wrong with a last cell: links, the spans after each, and recordings.
local function broken(held, recordings)
    local problems = {}
    local rest = held:gsub("recording (.*)$", function(list)
        for name in list:gmatch("`([^`]+)`") do
            if not recordings[name] then problems[#problems + 1] = name .. " is no recording that comes out equal" end
        end
        return ""
    end)
    for target, spans in rest:gmatch("%]%(%.%./([^)]+)%)([^%[]*)") do
        local text = read_file(target)
        if not text then problems[#problems + 1] = target .. " is not there" end
        for span in spans:gmatch("`([^`]+)`") do
            if text and not text:find(span, 1, true) then
                problems[#problems + 1] = ("%s does not say %s"):format(target, span)
            end
        end
    end
    return problems
end

local rows = rows_of(read_file(page))

local problems, expected = {}, {}
for i = 1, 56 do expected[i] = tostring(i) end
for _, key in ipairs { "a", "b", "c", "d" } do expected[#expected + 1] = key end
for i = 1, math.max(#rows, #expected) do
    if not rows[i] or rows[i].key ~= expected[i] then
        problems = { ("line %d: found %s, expected claim %s"):format(i, rows[i] and rows[i].key or "none",
            expected[i] or "none") }
        break
    end
end
report("claims 1 to 56 and those beyond have a line each, in order", problems)

problems = {}
for _, row in ipairs(rows) do
    if row.n ~= 7 then
        problems[#problems + 1] = ("claim %s: %d columns"):format(row.key, row.n)
    elseif not VERDICTS[row.verdict] or row.rfc == "" or row.linux == "" then
        problems[#problems + 1] = ("claim %s: a verdict, the RFC's and Linux's word are wanted"):format(row.key)
    end
end
report("each line has a verdict, and what both profiles do", problems)

problems = {}
for _, row in ipairs(rows) do
    local any = false
    for file in (row.scenario or ""):gmatch("%]%(%.%./([^)]+)%)") do
        any = true
        local text = read_file(file)
        if not file:find("^scenarios/") or not text then
            problems[#problems + 1] = ("claim %s: no scenario %s"):format(row.key, file)
        elseif not text:find("expect(", 1, true) or not text:find("say(", 1, true) then
            problems[#problems + 1] = ("claim %s: %s expects nothing or says nothing"):format(row.key, file)
        end
    end
    if not any then problems[#problems + 1] = ("claim %s: no scenario"):format(row.key) end
end
report("each line has a scenario that is there, expects something and says what was seen", problems)

problems = {}
local marked, recordings = {}, equal_recordings()
for _, row in ipairs(rows) do
    marked[row.key] = row.claim:find("[R]", 1, true) ~= nil
    for _, problem in ipairs(broken(row.held or "", recordings)) do
        problems[#problems + 1] = ("claim %s: %s"):format(row.key, problem)
    end
end
report("what holds a number is where the page says", problems)

problems = {}
for _, key in ipairs(RECORDED) do
    local row
    for _, each in ipairs(rows) do row = each.key == key and each or row end
    if not marked[key] then problems[#problems + 1] = ("claim %s was recorded, and is not marked"):format(key) end
    marked[key] = nil
    if not row or not row.held:find("`", 1, true) then
        problems[#problems + 1] = ("claim %s was recorded, and nothing holds its number"):format(key)
    end
end
for key, is_marked in pairs(marked) do
    if is_marked then problems[#problems + 1] = ("claim %s is marked, and was not recorded"):format(key) end
end
report("each recorded number is held by an expectation, a test or a recording", problems)

print("1.." .. n)
os.exit(not failed)
