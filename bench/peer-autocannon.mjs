// Runs autocannon in a process of its own, so that its CPU can be told from everything else: in closed loop,
// or at a rate.

import autocannon from 'autocannon';

const [url, connections, seconds, perSecond] = process.argv.slice(2);
const cpu = process.cpuUsage();
// No percentile is used; with a rate, its correction for coordinated omission would be wrong, and costs CPU.
const rate =
  perSecond === undefined ? {} : { overallRate: Number(perSecond), ignoreCoordinatedOmission: true };
const result = await autocannon({
  url,
  connections: Number(connections),
  duration: Number(seconds),
  ...rate,
});
const { user, system } = process.cpuUsage(cpu);
console.log(
  JSON.stringify({
    cpuMicrosPerRequest: (user + system) / result.requests.total,
    perSecond: result.requests.total / Number(seconds),
  }),
);
