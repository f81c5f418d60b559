// SPDX-License-Identifier: Apache-2.0
// statsd_client.js MODULES HOST PORT AT_MS: calls hot-shots, buffered, at a Unix time. The calls come as JSON on
// standard input: [method, name, value, site].
const path = require("node:path");
const [modules, host, port, at] = process.argv.slice(2);
const StatsD = require(path.join(modules, "hot-shots"));
const calls = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const client = new StatsD({
	host,
	port: Number(port),
	maxBufferSize: 1432,
	bufferFlushInterval: 50,
	errorHandler(error) {
		console.error(error.message);
		process.exit(1);
	},
});

setTimeout(() => {
	for (const [method, name, value, site] of calls)
		client[method](name, value, { site });
	client.close((error) => process.exit(error ? 1 : 0));
}, Number(at) - Date.now());
