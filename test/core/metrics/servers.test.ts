// Holds how the busiest server's part of the subscribers is read.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { figureOf } from '../../../core/metrics/registry.ts';
import type { ProcessUse } from '../../../core/result/result.ts';
import { completed, processUse } from '../result/trial.ts';

const share = (name: string, ...servers: Partial<ProcessUse>[]) =>
  figureOf(name, completed({ processes: servers.map((one) => processUse('server', one)) }));

test('the busiest server has the largest part, of subscribers and of connections each its own', () => {
  const servers = [
    { subscribers: 40, handshakes: 0 },
    { subscribers: 40, handshakes: 6 },
    { subscribers: 20, handshakes: 18 },
  ];
  assert.deepEqual(share('busiest-server-share', ...servers), { value: 0.4 });
  assert.deepEqual(share('busiest-server-connects', ...servers), { value: 0.75 });
});

test('one server alone has no such figure, nor servers to which nobody came', () => {
  assert.deepEqual(share('busiest-server-share', {}), {
    value: undefined,
    why: 'there was only one server, or nobody was connected',
  });
  assert.deepEqual(share('busiest-server-connects', { handshakes: 0 }, { handshakes: 0 }), {
    value: undefined,
    why: 'there was only one server, or no stream or socket was opened',
  });
});
