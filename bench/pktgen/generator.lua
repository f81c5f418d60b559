-- SPDX-License-Identifier: Apache-2.0
-- Makes Pktgen-DPDK take trials as ndr-generator does: a line RATE COUNT (datagrams a second, datagrams) from the pipe
-- ASKED, a line of JSON to the pipe TOLD. pktgen.sh sets both. Port 0 plays the capture given by -s.

local BURST = 32            -- datagrams at a time
local CYCLES_MAX = 4294967295
local SETTLE_MS = 2200      -- its statistics are read once a second
local asked = assert(io.open(os.getenv("ASKED"), "r"))
local told = assert(io.open(os.getenv("TOLD"), "w"))

local function tell(...)
	told:write(string.format(...), "\n")
	told:flush()
end

-- Seconds since the machine's start, to a hundredth.
local function uptime()
	local file = assert(io.open("/proc/uptime", "r"))
	local seconds = file:read("n")
	file:close()
	return seconds
end

-- Cycles a second: at a low rate, Pktgen's own reckoning of cycles a burst is exact enough to tell.
local function cycles_a_second()
	pktgen.set("0", "rate", 0.1)
	local debug = pktgen.portInfo("0")[0].info.tx_debug
	return debug.tx_cycles / BURST * debug.tx_pps
end

local function statistics()
	local stats = pktgen.portStats("0", "port")[0]
	return stats.opackets, stats.oerrors
end

pktgen.screen("off")
pktgen.set("0", "burst", BURST)
local hz = cycles_a_second()
tell("ready")
for line in asked:lines() do
	local rate, count = line:match("^(%d+) (%d+)$")
	if rate == nil or tonumber(rate) < 1 or tonumber(count) < 1 or tonumber(count) > CYCLES_MAX then
		tell('{"error": "want RATE COUNT"}')
		break
	end
	local sent_before, errors_before = statistics()
	pktgen.set("0", "count", tonumber(count))
	pktgen.set("0", "cycles", math.min(math.floor(hz * BURST / rate + 0.5), CYCLES_MAX))
	local began = uptime()
	pktgen.start("0")
	while pktgen.isSending("0")[0] == "y" do
		pktgen.delay(1)
	end
	local seconds = math.max(uptime() - began, 0.01)
	pktgen.delay(SETTLE_MS)
	local sent, errors = statistics()
	tell('{"offered": %d, "sent": %d, "refused": %d, "seconds": %.2f}', tonumber(count), sent - sent_before,
		errors - errors_before, seconds)
end
pktgen.quit()
