// autocannon in closed loop, in a process of its own, so that its CPU can be told from everything else.

import autocannon from 'autocannon';

const [url, connections, seconds] = process.argv.slice(2);
const cpu = process.cpuUsage();
// Closed loop: no rate, so no correction for coordinated omission; no percentile is used.
const result = await autocannon({ url, connections: Number(connections), duration: Number(seconds) });
const { user, system } = process.cpuUsage(cpu);
console.log(JSON.stringify({ cpuMicrosPerRequest: (user + system) / result.requests.total, perSecond: result.requests.total / Number(seconds) }));
