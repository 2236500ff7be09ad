// Runs nginx with nchan, as targets/ describes it, on a free port: every pattern that it has, through target
// check and through a trial. Skipped where it is not installed.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'vitest';
import { metrics } from '../../../core/metrics/registry.ts';
import { processes } from '../../../harness/trial/fleet.ts';
import { checkTarget } from '../../../harness/target/check.ts';
import { openTarget } from '../../../harness/target/open.ts';
import { startNginx } from '../../nginx.ts';
import { skipWhen } from '../../skip.ts';
import { runAgainst, writeTarget } from './foreign.ts';

const nchanModule = '/usr/lib/nginx/modules/ngx_nchan_module.so';
const skip = existsSync(nchanModule)
  ? false
  : 'nginx with nchan is not installed (Debian: apt-get install nginx libnginx-mod-nchan)';

/**
 * The shipped configuration and target file, with another port and files in a folder of their own.
 * @returns the target file
 */
async function startNchan(t: TestContext): Promise<string> {
  const user = process.getuid?.() === 0 ? 'user root;\n' : '';
  const port = await startNginx(
    t,
    (free, folder) =>
      `${user}` +
      readFileSync('targets/nchan.conf', 'utf8')
        .replaceAll('127.0.0.1:8081', `127.0.0.1:${free}`)
        .replaceAll('/tmp/pushbench-nchan', join(folder, 'nchan')),
  );
  return writeTarget(t, readFileSync('targets/nchan.yaml', 'utf8').replaceAll('8081', String(port)));
}

test('target check: every pattern works', async (t) => {
  skipWhen(t, skip);
  const findings = await checkTarget(openTarget(await startNchan(t), {}), 'check', processes);
  assert.deepEqual(
    findings.map(({ pattern, works, message }) => (works ? pattern : `${pattern}: ${message}`)),
    ['polling', 'long-polling', 'http-stream', 'sse', 'websocket'],
  );
});

test(
  'a trial of every pattern: nothing missed, nothing twice, ' + 'in order, with the CPU of the worker',
  async (t) => {
    skipWhen(t, skip);
    const file = await startNchan(t);
    const { trials } = await runAgainst(file, {
      yaml:
        'variants: [{ polling: { every: 200ms } }, long-polling, http-stream, ' +
        'sse, { websocket: { deflate: true } }]',
      env: {},
    });
    assert.deepEqual(
      trials.map(({ variant }) => variant.label),
      [
        'polling every=200ms @nchan',
        'long-polling @nchan',
        'http-stream @nchan',
        'sse @nchan',
        'websocket deflate @nchan',
      ],
    );
    for (const {
      variant: { label },
      outcome,
    } of trials) {
      assert.ok(
        outcome.status === 'completed',
        `${label}: ${outcome.status === 'failed' ? outcome.message : ''}`,
      );
      const {
        published,
        expected,
        delivered,
        missed,
        duplicated,
        reordered,
        corrupted,
        unconfirmed,
        unexpected,
      } = outcome.ledger;
      assert.deepEqual(
        { published, expected, delivered, missed, duplicated, reordered, corrupted, unconfirmed, unexpected },
        {
          published: 160,
          expected: 480,
          delivered: 480,
          missed: 0,
          duplicated: 0,
          reordered: 0,
          corrupted: 0,
          unconfirmed: 0,
          unexpected: 0,
        },
        label,
      );
      assert.equal(metrics['descriptors.added']!.read(outcome), 5, label);
      assert.ok(metrics['server-cpu-per-delivery']!.read(outcome)! > 0, label);
    }
  },
);
