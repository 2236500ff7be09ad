// The webhook server on real disks that fill up or fail: as many events arrive as were accepted, and not one
// that was refused, whether the server lives or is killed.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, vi } from 'vitest';
import { patterns } from '../../../../core/pattern/registry.ts';
import { random } from '../../../../core/base/random.ts';
import { defaultLimits } from '../../../../core/scenario/scenario.ts';
import { startServer } from '../../../../servers/start.ts';
import { skipWhen } from '../../../skip.ts';
import { receiver, until } from '../../receivers.ts';
import { apiOf } from '../client.ts';
import { postTo } from '../failing-store.ts';
import { start } from '../kills.ts';
import { notRoot, smallDisk } from './small-disk.ts';

const noStrace = spawnSync('strace', ['-V']).status !== 0 && 'strace is not installed';

const bodyOf = (n: number, bytes: number) => JSON.stringify({ n, fill: 'x'.repeat(bytes) });
const envelopeOf = ({ body }: { body: string }) => JSON.parse(body) as { seq: number; body: { n: number } };

test(
  '60 events of 60 kB on a disk of 2 MB: those that were accepted arrive, and no other',
  { timeout: 60_000 },
  async (t) => {
    skipWhen(t, notRoot);
    const told = vi.spyOn(console, 'error').mockImplementation(() => {});
    const { file, grow } = smallDisk(t, '2m');
    const { got, url: at } = await receiver(t);
    const options = patterns.webhook.options.parse({ store: 'sqlite', file });
    const server = await startServer({
      pattern: 'webhook',
      options,
      limits: { ...defaultLimits, slowBuffer: 2 ** 30 },
      seed: 1,
    });
    t.onTestFinished(() => server.close());
    const { register, stats } = apiOf(server.endpoint.url);
    await register(at);
    const accepted: number[] = [];
    for (let n = 1; n <= 60; n++) {
      const { status, error, seq } = await postTo(server.endpoint.publishUrl, 'news', bodyOf(n, 60_000));
      if (status === 201) accepted.push(seq);
      else assert.deepEqual([status, error], [503, 'store-full']);
    }
    assert.ok(accepted.length > 5 && accepted.length < 50, `${accepted.length} were accepted`);
    assert.deepEqual(
      accepted,
      accepted.map((_, i) => i + 1),
    );
    await until('all that were accepted came', () => got.length >= accepted.length);
    while ((await stats()).depth > 0);
    assert.deepEqual(
      got.map((one) => envelopeOf(one).seq).sort((a, b) => a - b),
      accepted,
    );
    const { delivered, attempts } = await stats();
    assert.deepEqual(
      [delivered, attempts, server.hub.published()],
      [accepted.length, accepted.length, accepted.length],
    );
    assert.deepEqual([server.counters().refusals, server.counters().errors], [60 - accepted.length, 0]);
    assert.equal(told.mock.calls.length, 1);
    assert.match(
      String(told.mock.calls[0]![0]),
      /store\.db: database or disk is full: the disk is full, so what needs room is refused with 503\. Free some space/,
    );

    grow('32m');
    const next = await postTo(server.endpoint.publishUrl, 'news', bodyOf(61, 60_000));
    assert.deepEqual([next.status, next.seq], [201, accepted.length + 1]);
    await until('it came', () => got.length > accepted.length);
    assert.equal(got.length, accepted.length + 1);
    assert.equal(envelopeOf(got.at(-1)!).body.n, 61);
    await server.close();
    const db = new DatabaseSync(file);
    assert.deepEqual(
      { ...db.prepare('SELECT count(*) AS n, sum(state = 2) AS delivered FROM deliveries').get() },
      { n: accepted.length + 1, delivered: accepted.length + 1 },
    );
    db.close();
  },
);

test(
  'kills on a disk that is full now and then lose nothing that was ' +
    'accepted and bring nothing that was refused',
  { timeout: 120_000 },
  async (t) => {
    skipWhen(t, notRoot);
    const { file, grow } = smallDisk(t, '1m');
    const { got, url: at } = await receiver(t);
    const draw = random(3, 'full');
    const accepted = new Set<number>();
    const refused = new Set<number>();
    let n = 0;
    let sizeM = 1;
    let server = await start({ store: 'sqlite', file });
    t.onTestFinished(() => server.child.disconnect());
    await apiOf(server.url).register(at);
    for (let life = 0; life < 3; life++) {
      // At least eight in each life, so that all together are more than twenty.
      const enough = refused.size + 8 + draw() * 50;
      const publishers = Array.from({ length: 4 }, async () => {
        for (;;) {
          const mine = ++n;
          try {
            const { status } = await postTo(server.url, 'news', bodyOf(mine, Math.round(draw() * 30_000)));
            (status === 201 ? accepted : refused).add(mine);
          } catch {
            return; // the server is gone; it said neither
          }
        }
      });
      await until('the disk is full', () => refused.size > enough, 30_000);
      const gone = once(server.child, 'exit');
      server.child.kill('SIGKILL');
      await gone;
      await Promise.all(publishers);
      grow(`${++sizeM}m`);
      server = await start({ store: 'sqlite', file });
    }
    grow('64m');
    const { stats } = apiOf(server.url);
    while ((await stats()).depth > 0);
    const came = new Set(got.map((one) => envelopeOf(one).body.n));
    assert.ok(accepted.size > 20 && refused.size > 20, `${accepted.size} accepted, ${refused.size} refused`);
    assert.deepEqual(
      [...accepted].filter((one) => !came.has(one)),
      [],
      'accepted and lost',
    );
    assert.deepEqual(
      [...refused].filter((one) => came.has(one)),
      [],
      'refused and delivered',
    );
  },
);

// SQLite ends a transaction by writing it to the log and syncing. When the sync fails the log
// may hold it all the same.
for (const [times, code] of [
  ['1', 'store-failed'],
  ['1+', 'unknown'],
] as const) {
  test(
    `what a failing sync refused is not found by the next start (fails ${times}, says ${code})`,
    { timeout: 60_000 },
    async (t) => {
      skipWhen(t, noStrace);
      const folder = mkdtempSync(join(tmpdir(), 'pushbench-sync-'));
      t.onTestFinished(() => rmSync(folder, { recursive: true }));
      const file = join(folder, 'store.db');
      const { child, url } = await start({ store: 'sqlite', file });
      t.onTestFinished(() => void child.kill('SIGKILL'));
      const { register, change } = apiOf(url);
      const { id } = await register('http://127.0.0.1:9/');
      await change(id, { enabled: false }); // so that nothing is written but what is asked for
      const first = await postTo(url, 'news', bodyOf(1, 10));
      const tracer = spawn(
        'strace',
        [
          '-f',
          '-p',
          String(child.pid),
          '-e',
          'trace=fsync,fdatasync',
          '-e',
          `inject=fsync,fdatasync:error=EIO:when=${times}`,
        ],
        { stdio: ['ignore', 'ignore', 'pipe'] },
      );
      t.onTestFinished(() => void tracer.kill());
      let said = '';
      tracer.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
      await until('it is attached', () => said.includes('attached'));
      const second = await postTo(url, 'news', bodyOf(2, 10));
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
      assert.deepEqual([first.status, second.status, second.error], [201, 503, code], said);
      const db = new DatabaseSync(file);
      const found = db.prepare('SELECT id FROM events').all().length;
      db.close();
      if (code === 'store-failed') assert.equal(found, 1);
      else assert.ok(found <= 2, 'nobody can say');
    },
  );
}
