// Holds that a report of several servers shows how they shared the subscribers, and one of a server by itself
// does not.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Completed } from '../../../core/result/result.ts';
import { renderHtml } from '../../../reports/page/report.ts';
import { processUse } from '../../core/result/trial.ts';
import { fixtureResult } from '../fixture.ts';

const caption = /Subscribers by server/;

test('each of several servers has its number, the first server first', async () => {
  const result = fixtureResult();
  const servers = [
    processUse('server', { subscribers: 1200, handshakes: 0 }),
    processUse('server', { subscribers: 40, handshakes: 40 }),
  ];
  const trials = result.trials.map((trial) =>
    trial.outcome.status === 'completed'
      ? { ...trial, outcome: { ...trial.outcome, processes: servers } satisfies Completed }
      : trial,
  );
  const html = await renderHtml([{ ...result, trials }], { interactive: false });
  assert.match(html, caption);
  assert.match(html, /<td[^>]*>1,200 \/ 40<\/td>\s*<td[^>]*>0 \/ 40<\/td>/);
  assert.doesNotMatch(await renderHtml([result], { interactive: false }), caption);
});
