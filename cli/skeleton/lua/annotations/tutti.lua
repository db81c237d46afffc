---@meta tutti
-- The whole Lua API of tutti, for editors (lua-language-server). docs/lua-api.md explains it.

---A worker: a virtual user. Other fields are free for the script to use.
---@class tutti.Worker
---@field id integer 0 … count−1 over the whole campaign
---@field count integer workers of the campaign
---@field step integer 1 …, counts failures too; 0 in `setup`
---@field room tutti.Room
---@field seat integer its place in the room, from 0
---@field agent string name of the agent that it runs on
---@field [string] any
local worker = {}

---@class tutti.Room
---@field id integer
---@field size integer how many workers it has

---The notifier of this room, name and step. `readers`: how many distinct workers have to read; by default all the others.
---@param name string
---@param options? { step?: integer, readers?: integer }
---@return tutti.Notifier
function worker:notifier(name, options) end

---Waits until `parties` workers (by default all live ones of the room) have arrived.
---@param name string
---@param options? { parties?: integer, timeout?: number, on_timeout?: "fail"|"go"|"leave", at_once?: boolean }
---@return integer rank
---@return integer arrived
---@return integer present
function worker:barrier(name, options) end

---A variable of the room. `factory` runs in exactly one worker if it has no value.
---@param name string
---@param factory? fun(): any
---@return any
function worker:get_var(name, factory) end

---@param name string
---@param value any nil deletes it
function worker:set_var(name, value) end

---Sets it only if it is `expected`.
---@param name string
---@param expected any
---@param new any
---@return boolean won
---@return any current
function worker:cas(name, expected, new) end

---@param name string
---@param by? number default 1
---@return number sum
function worker:incr(name, by) end

---@param name string
---@return boolean existed
function worker:delete(name) end

---@param name string
---@param options? { timeout?: number, changed_from?: any }
---@return any
function worker:wait_var(name, options) end

---All that the worker measures from then on also counts by this tag; nil takes it away.
---@param name string
---@param value? string
function worker:tag(name, value) end

---@class tutti.Notifier
local notifier = {}

---Marks the instant of the edit.
---@param options? { at?: number }
function notifier:writing(options) end

---@param payload? any
---@param options? { at?: number }
---@return boolean first false if it was already written
function notifier:written(payload, options) end

---@param timeout? number
---@return any payload
function notifier:wait_for_writer(timeout) end

---Says that this worker has seen it. `text` is compared with what the others saw.
---@param text? string
---@param options? { seen_at?: number, at_once?: boolean, browser?: string, polled?: boolean, waited?: number }
function notifier:one_read(text, options) end

---@param options? number|{ timeout?: number, strict?: boolean }
---@return integer read
---@return integer readers
function notifier:wait_for_readers(options) end

---A task: a further coroutine of the worker.
---@class tutti.Task
local task = {}

---@return any ...
function task:wait() end

---@return boolean was_running
function task:cancel() end

---Rows that workers take.
---@class tutti.Data
---@operator len: integer
---@field [integer] table
local data = {}

---@param worker? tutti.Worker
---@return table row
function data:next(worker) end

---@class tutti
---@field target? string the address of `--target`
---@field env table<string, string> the variables of `-e` and `--env-file`
local tutti = {}

---Defaults for the options of a campaign, with `_` for `-`.
---@param options table<string, any>
function tutti.options(options) end

---Defines a scenario: what a worker does in a step.
---@param name string
---@param f fun(worker: tutti.Worker)
---@overload fun(name: string, options: { weight?: number, delay?: number }, f: fun(worker: tutti.Worker))
function tutti.scenario(name, f) end

---Once in the campaign, before the workers.
---@param f fun()
function tutti.global_setup(f) end

---Once for each worker, before its session.
---@param f fun(worker: tutti.Worker)
function tutti.setup(f) end

---@param f fun(worker: tutti.Worker)
function tutti.setup_session(f) end

---@param f fun(worker: tutti.Worker)
function tutti.teardown_session(f) end

---@param f fun(worker: tutti.Worker)
function tutti.teardown(f) end

---Once in the campaign, after the workers.
---@param f fun()
function tutti.global_teardown(f) end

---Names the scenario of the next step.
---@param f fun(worker: tutti.Worker, step: integer): string
function tutti.scenario_picker(f) end

---@param f fun(event: string, info: table)
function tutti.events(f) end

---A variable of the campaign. `factory` runs in exactly one worker if it has no value.
---@param name string
---@param factory? fun(): any
---@return any
function tutti.get_var(name, factory) end

---@param name string
---@param value any nil deletes it
function tutti.set_var(name, value) end

---@param name string
---@param expected any
---@param new any
---@return boolean won
---@return any current
function tutti.cas(name, expected, new) end

---@param name string
---@param by? number
---@return number sum
function tutti.incr(name, by) end

---@param name string
---@return boolean existed
function tutti.delete(name) end

---@param name string
---@param options? { timeout?: number, changed_from?: any }
---@return any
function tutti.wait_var(name, options) end

---Rows of a file of the bundle (`x.csv`, `x.jsonl`, `x.json`) or of a list. Only while the script loads.
---@param rows string|table[]
---@param options? { mode?: "unique"|"round_robin"|"random"|"room", wrap?: boolean, separator?: string }
---@return tutti.Data
function tutti.data(rows, options) end

---@param seconds number
function tutti.sleep(seconds) end

---@return number seconds of a clock that only moves forward
function tutti.now() end

---Workers and a shape of its own for a scenario. Only while the script loads.
---@param scenario string
---@param load table
function tutti.load(scenario, load) end

---Records a time that the script has measured itself.
---@param name string
---@param seconds number
---@param options? { ok?: boolean, at?: number, tags?: table<string, string> }
function tutti.record(name, seconds, options) end

---Runs `f(…)`, records how long it took, returns what it returned.
---@param name string
---@param f fun(...): ...
---@param ... any
---@return any ...
function tutti.time(name, f, ...) end

---The same as a group, whose name has those of the groups around it before it.
---@param name string
---@param f fun(...): ...
---@param ... any
---@return any ...
function tutti.group(name, f, ...) end

---A check: counted by name. `expected` is a value, or a function that says true.
---@param value any
---@param name string
---@param expected? any
---@param options? { fail?: boolean, tags?: table<string, string> }
---@return boolean passed
function tutti.check(value, name, expected, options) end

---Thresholds such as `"http.p95 < 200ms"`. Only while the script loads.
---@param thresholds (string|table)[]
function tutti.thresholds(thresholds) end

---Prints a line that begins with the worker's id.
---@param ... any
function tutti.print(...) end

---Defaults for all requests of the script. Only while it loads.
---@param options tutti.http.Options
function tutti.http_defaults(options) end

---A further coroutine of the worker.
---@param f fun(): ...
---@return tutti.Task
---@overload fun(options: { keep?: boolean }, f: fun(): ...): tutti.Task
function tutti.task(f) end

---The first value of each task; the first error cancels the others.
---@param tasks tutti.Task[]
---@return any ...
function tutti.all(tasks) end

---The values of the first to end; the others are cancelled.
---@param tasks tutti.Task[]
---@return any ...
function tutti.race(tasks) end

---@param seconds number
---@param f fun(): ...
---@return any ...
function tutti.timeout(seconds, f) end

return tutti
