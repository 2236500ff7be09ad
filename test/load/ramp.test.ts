// What the ramp decides without a socket: why subscribers are missing.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { SourceAddresses } from '../../core/base/source-address.ts';
import { mostFrequent, notConnected } from '../../load/ramp.ts';

test('the message says which limit was met and how to raise it', () => {
  const about = (code: string, from?: SourceAddresses) =>
    notConnected([{ code, message: `connect ${code}`, count: 2 }], 5, 10, 31, from);
  assert.match(
    about('EMFILE'),
    /^5 of 10 subscribers were not subscribed 31 s after the start; the first error, 2 times: connect EMFILE \(a load process may hold (\d+|only so many) descriptors: set loadProcesses higher in the scenario, or take more workers\)$/,
  );
  const ports = /the ephemeral ports are used up: widen net\.ipv4\.ip_local_port_range .* in TIME_WAIT/;
  const addresses = / other addresses of 127\.0\.0\.0\/8, which the loopback interface must have\)$/;
  const spread = about('EADDRNOTAVAIL', { first: 65_536, each: 2500 });
  assert.match(spread, ports);
  assert.match(spread, addresses);
  assert.match(about('EADDRNOTAVAIL'), ports);
  assert.doesNotMatch(about('EADDRNOTAVAIL'), addresses, 'on their way to another machine they have one');
  assert.match(about('ENFILE'), /raise fs\.file-max/);
  assert.equal(
    about('http-status'),
    '5 of 10 subscribers were not subscribed 31 s after the start; ' +
      'the first error, 2 times: connect http-status',
  );
  assert.equal(
    notConnected([], 1, 1, 30),
    '1 of 1 subscribers were not subscribed 30 s after the start, ' +
      'and there was no error: the server does not answer',
  );
});

test('the most frequent problem counts whatever address or port it was met with', () => {
  const problems = [
    { code: 'ECONNRESET', message: 'reset', count: 5 },
    { code: 'EADDRNOTAVAIL', message: 'connect to port 1', count: 3 },
    { code: 'EADDRNOTAVAIL', message: 'connect to port 2', count: 3 },
  ];
  assert.equal(mostFrequent(problems), 'EADDRNOTAVAIL');
  assert.equal(mostFrequent(problems.slice(0, 2)), 'ECONNRESET');
  assert.equal(mostFrequent([]), undefined);
});
