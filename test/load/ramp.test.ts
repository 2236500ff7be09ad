// What the ramp decides without a socket: why subscribers are missing.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { notConnected } from '../../load/ramp.ts';

test('the message says which limit was met and how to raise it', () => {
  const about = (code: string) => notConnected([{ code, message: `connect ${code}`, count: 2 }], 5, 10, 31);
  assert.match(
    about('EMFILE'),
    /^5 of 10 subscribers were not subscribed 31 s after the start; the first error, 2 times: connect EMFILE \(a load process may hold (\d+|only so many) descriptors: set loadProcesses higher in the scenario\)$/,
  );
  assert.match(
    about('EADDRNOTAVAIL'),
    /the ephemeral ports are used up: widen net\.ipv4\.ip_local_port_range/,
  );
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
