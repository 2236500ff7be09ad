// Runs whole trials against systems that are not ours: the Express app as an architect would bring it, and
// systems that are broken in the ways that systems are. What `target check` says of broken ones is
// target-check.test.ts.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import type { Completed, Trial } from '../../../core/result/result.ts';
import { metrics } from '../../../core/metrics/registry.ts';
import { processes } from '../../../harness/trial/fleet.ts';
import { checkTarget } from '../../../harness/target/check.ts';
import { openTarget } from '../../../harness/target/open.ts';
import { renderHtml } from '../../../reports/page/report.ts';
import { renderTable } from '../../../reports/text/terminal.ts';
import { runAgainst, startExpress, token, writeTarget } from './foreign.ts';
import { plainTarget, sendAll, startSystem } from './small-system.ts';

function completed({ outcome }: Trial): Completed {
  if (outcome.status !== 'completed') throw new Error(outcome.message);
  return outcome;
}

const codes = ({ warnings }: Trial) =>
  warnings
    .filter(({ code }) => !['few-samples', 'publisher-late', 'load-limited'].includes(code))
    .map(({ code, level }) => `${level} ${code}`);

const feed = (url: string, more = '') =>
  `name: feed\nurl: ${url}\npublish: /feed/{topic}\nsubscribe:\n  sse: /feed/{topic}\nheaders:\n` +
  `  authorization: Bearer \${FEED_TOKEN}\n${more}`;

describe('user code: the Express app of docs/examples', () => {
  test('beside our own server, in one result and one table', async (t) => {
    const { url, port, child } = await startExpress(t);
    const { result, trials, leftOut } = await runAgainst(
      writeTarget(t, feed(url, `process: { port: ${port} }\n`)),
      { yaml: 'variants: [sse, websocket]', reference: true },
    );
    assert.deepEqual(
      trials.map(({ variant }) => [variant.label, variant.target]),
      [
        ['sse', undefined],
        ['sse @feed', 'feed'],
        ['websocket', undefined],
      ],
    );
    assert.deepEqual(leftOut, [
      'websocket @feed: the target file does not describe it (subscribe.websocket)',
    ]);
    const [ours, theirs] = [completed(trials[0]!), completed(trials[1]!)];
    const { missing, ...ledger } = theirs.ledger;
    assert.deepEqual(missing, []);
    assert.deepEqual(ledger, {
      resumed: 0,
      published: 160,
      expected: 480,
      delivered: 480,
      missed: 0,
      duplicated: 0,
      reordered: 0,
      corrupted: 0,
      unexpected: 0,
      unconfirmed: 0,
    });
    assert.equal(theirs.latency.endToEnd.count, 480);
    // Both were published to in the same way, and neither was sent anything beyond the scenario.
    assert.equal(result.scenario.publishedInTurn, true);
    assert.deepEqual([ours.warmUp, theirs.warmUp], [undefined, undefined]);
    assert.match(
      await renderHtml([result], { interactive: false }),
      /Every system was published to in the same way, our own servers too: one request of a topic at a time/,
    );
    assert.equal(theirs.latency.acceptToReceipt?.count, 0);
    assert.equal(metrics['accept-to-receipt.p50']!.read(theirs), undefined);
    // Five subscribers, two topics each, a connection for each.
    assert.equal(metrics['descriptors.added']!.read(theirs), 10);
    assert.equal(metrics['connections-per-subscriber']!.read(theirs), 2);
    assert.equal(metrics['descriptors-per-connection']!.read(theirs), 1);
    assert.equal(metrics['connections-per-subscriber']!.read(ours), 1);
    assert.equal(theirs.processes.find(({ role }) => role === 'server')?.pid, child.pid);
    assert.ok(metrics['server-cpu-per-delivery']!.read(theirs)! > 0);
    assert.equal(metrics['server-loop-delay.p99']!.read(theirs), undefined);
    assert.deepEqual(theirs.checks, []);
    assert.ok(ours.checks.length > 0);
    assert.ok(
      trials[1]!.warnings.some(
        ({ code, message }) =>
          code === 'target' && /it reports neither when it accepted an event/.test(message),
      ),
    );
    assert.ok(!JSON.stringify(result).includes(token));
    const text = renderTable([result], { columns: 200, color: false });
    assert.match(text, /^sse @feed +(?:\d|void)/m, 'void where the machine was busy');
    assert.match(text, /left out: websocket @feed: the target file does not describe it/);
  });

  test('target check: it works', async (t) => {
    const { url } = await startExpress(t);
    const findings = await checkTarget(
      openTarget(writeTarget(t, feed(url)), { FEED_TOKEN: token }),
      'check',
      processes,
    );
    assert.equal(findings.length, 1);
    assert.match(findings[0]!.message, /^the event came back after [\d.]+ (ms|µs|s)$/);
  });

  test('without a process nothing is made up', async (t) => {
    const { url } = await startExpress(t);
    const { trial } = await runAgainst(writeTarget(t, feed(url)));
    const outcome = completed(trial);
    assert.deepEqual(
      [outcome.descriptors, outcome.processes.filter(({ role }) => role === 'server')],
      [null, []],
    );
    for (const name of [
      'server-cpu-per-delivery',
      'server-cpu',
      'server-memory-per-subscriber',
      'descriptors.peak',
    ])
      assert.equal(metrics[name]!.read(outcome), undefined, name);
    assert.ok(outcome.series.columns['serverRssBytes']!.every((value) => value === null));
  });

  test(
    'killed in the middle of a trial: the trial ends, does not count, ' +
      'and blames nobody for what nobody confirmed',
    async (t) => {
      const { url, port, child } = await startExpress(t);
      const { trial } = await runAgainst(writeTarget(t, feed(url, `process: { port: ${port} }\n`)), {
        onMeasure: () => void child.kill('SIGKILL'),
      });
      const { ledger, processes: used } = completed(trial);
      for (const code of ['invalid ledger-open', 'invalid target-ended'])
        assert.ok(codes(trial).includes(code), codes(trial).join());
      assert.ok(ledger.unconfirmed > 0 && ledger.published > 0, JSON.stringify(ledger));
      assert.equal(ledger.published + ledger.unconfirmed, 160);
      assert.equal(ledger.delivered + ledger.missed, ledger.expected);
      assert.ok(used.find(({ role }) => role === 'server')!.cpuUs >= 0);
    },
  );

  test('frozen for a while, as a scenario may ask where the process is named', async (t) => {
    const { url, port } = await startExpress(t);
    const yaml = 'variants: [sse]\nfaults: [{ at: 500ms, freeze: server, for: 600ms }]';
    const { trial } = await runAgainst(writeTarget(t, feed(url, `process: { port: ${port} }\n`)), { yaml });
    const { ledger, latency } = completed(trial);
    assert.equal(ledger.missed, 0);
    assert.ok(latency.endToEnd.maxUs > 400_000, String(latency.endToEnd.maxUs));
    await assert.rejects(runAgainst(writeTarget(t, feed(url)), { yaml }), {
      code: 'target-nothing',
      message: /sse @feed: the scenario freezes the server, and the target file names no process/,
    });
  });
});

test('a scenario that cuts connections is refused, not bent', async (t) => {
  const file = writeTarget(t, feed('http://127.0.0.1:1'));
  await assert.rejects(runAgainst(file, { yaml: 'variants: [sse]\nfaults: [{ at: 1s, disconnect: 50% }]' }), {
    code: 'target-nothing',
    message:
      'No variant of "small" can run against feed:\n  - sse @feed: the scenario cuts connections, ' +
      'which only our own servers can do.',
  });
});

test('a target that is down: said at once', async (t) => {
  const { trial } = await runAgainst(writeTarget(t, feed('http://127.0.0.1:1')));
  assert.deepEqual(trial.outcome, {
    status: 'failed',
    valid: false,
    code: 'target-unreachable',
    message: 'target feed: 127.0.0.1:1: nothing listens there. Is the system running, on this port?',
  });
});

test('a wrong variable and a process that is not there: before anything is started', async (t) => {
  await assert.rejects(runAgainst(writeTarget(t, feed('http://127.0.0.1:1')), { env: {} }), {
    code: 'target-environment',
    message:
      /asks the environment for FEED_TOKEN \(for headers\.authorization\), which is not set\. Set it before the run/,
  });
  await assert.rejects(
    runAgainst(writeTarget(t, feed('http://127.0.0.1:1', 'process: { pid: 4194304 }\n'))),
    { code: 'target-process', message: /process\.pid names 4194304, and there is no such process/ },
  );
  await assert.rejects(runAgainst('/nowhere/target.yaml'), {
    code: 'target-file',
    message: /^Cannot read the target file \/nowhere\/target\.yaml: ENOENT/,
  });
});

test(
  'some events answered 500: left out of the ledger on both ' + 'sides, and the trial does not count',
  async (t) => {
    let events = 0;
    const url = await startSystem(t, (body, response, open) => {
      const refused = ++events % 4 === 0;
      // Every second one that is refused is delivered all the same.
      if (!refused || events % 8 === 0) sendAll(open, body);
      response.writeHead(refused ? 500 : 200).end();
    });
    const { trial } = await runAgainst(writeTarget(t, plainTarget(url)));
    const { ledger, problems } = completed(trial);
    assert.ok(codes(trial).includes('invalid ledger-open'), codes(trial).join());
    assert.ok(ledger.unconfirmed >= 38 && ledger.unconfirmed <= 42, String(ledger.unconfirmed));
    assert.equal(ledger.published + ledger.unconfirmed, 160);
    assert.deepEqual([ledger.missed, ledger.unexpected, ledger.delivered], [0, 0, ledger.expected]);
    assert.ok(problems.some(({ message }) => message === 'an event was answered with status 500'));
  },
);

test(
  'what comes back is not what went out: nothing is ' + 'counted as delivered, and it is said why',
  async (t) => {
    const url = await startSystem(t, (_body, response, open) => {
      sendAll(open, '{"type":"status","note":"something happened"}');
      response.end();
    });
    const { trial } = await runAgainst(writeTarget(t, plainTarget(url)));
    const { ledger, problems } = completed(trial);
    assert.deepEqual([ledger.delivered, ledger.missed], [0, ledger.expected]);
    assert.ok(codes(trial).includes('invalid target-silent'), codes(trial).join());
    assert.ok(
      problems.some(({ code, message }) => code === 'unstamped' && message.includes('something happened')),
    );
  },
);
