// autocannon in closed loop, in a process of its own, so that its CPU can be told from everything else.

import autocannon from 'autocannon';

const [url, connections, seconds] = process.argv.slice(2);
const cpu = process.cpuUsage();
// Its correction for coordinated omission takes an interval in the wrong unit, so it is left out; no percentile is used.
const result = await autocannon({ url, connections: Number(connections), duration: Number(seconds), ignoreCoordinatedOmission: true });
const { user, system } = process.cpuUsage(cpu);
console.log(JSON.stringify({ cpuMicrosPerRequest: (user + system) / result.requests.total, perSecond: result.requests.total / Number(seconds) }));
