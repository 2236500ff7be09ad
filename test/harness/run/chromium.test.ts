// Opens pages in a real Chromium: six streams over HTTP/1.1 leave it nothing to ask the same host with and no
// room for a seventh, over HTTP/2 and with sockets they do not. It is said where Chromium is missing, and
// nothing is left behind.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'vitest';
import { patterns } from '../../../core/pattern/registry.ts';
import { parseScenario } from '../../../core/scenario/scenario-file.ts';
import { openInChromium } from '../../../harness/run/chromium.ts';
import { processes, type Fleet, type ServerPeer } from '../../../harness/trial/fleet.ts';
import { skipWhen } from '../../skip.ts';

const executable = '/usr/bin/chromium';
const skip = existsSync(executable) ? false : 'Chromium is not installed (Debian: apt-get install chromium)';
const signal = new AbortController().signal;

const { scenario } = parseScenario(
  'question: Six?\nsubscribers: 6\ntopics: { news: { publish: 1/s } }\n' +
    'variants: [sse, { sse: { over: h2 } }, http-stream, websocket]\nbrowser: { tabs: 1, requests: 1/s }\n',
  { file: 'six.yaml', registry: patterns, overrides: [] },
);

/** Real processes, remembered. */
function watched(): { fleet: Fleet; servers: ServerPeer[] } {
  const servers: ServerPeer[] = [];
  return {
    servers,
    fleet: { ...processes, server: () => (servers.push(processes.server()), servers.at(-1)!) },
  };
}

const alive = (pid: number) => existsSync(`/proc/${pid}`);

test(
  'six streams over HTTP/1.1 leave no connection, over ' + 'HTTP/2 and beside sockets there is one',
  async (t) => {
    skipWhen(t, skip);
    const { fleet, servers } = watched();
    const opened = async (pages: number, variants = scenario.variants) => {
      const measured = await openInChromium(
        [pages],
        { ...scenario, variants },
        patterns,
        fleet,
        signal,
        executable,
      );
      return measured.status === 'measured'
        ? measured.opened.map(
            ({ variant, streams, answered }) => `${variant}: ${streams} streams, ${answered} answered`,
          )
        : measured.reason;
    };
    assert.deepEqual(await opened(5, scenario.variants.slice(0, 1)), ['sse: 5 streams, 5 answered']);
    assert.deepEqual(await opened(7), [
      'sse: 6 streams, 0 answered',
      'sse h2: 7 streams, 7 answered',
      'http-stream: 6 streams, 0 answered',
      'websocket: 7 streams, 7 answered',
    ]);
    assert.equal(servers.length, 5);
    assert.deepEqual(
      servers.filter(({ pid }) => alive(pid)),
      [],
    );
  },
);

test('an abort ends it, with the reason, and its server', async (t) => {
  skipWhen(t, skip);
  const { fleet, servers } = watched();
  const controller = new AbortController();
  const opening = openInChromium(
    [7],
    scenario,
    patterns,
    {
      ...fleet,
      server: () => (setTimeout(() => controller.abort(new Error('enough')), 100), fleet.server()),
    },
    controller.signal,
    executable,
  );
  await assert.rejects(opening, /enough/);
  assert.deepEqual(
    servers.map(({ pid }) => alive(pid)),
    [false],
  );
});

test('what goes wrong in between is the answer, and takes nothing from the trials before it', async (t) => {
  skipWhen(t, skip);
  const fleet: Fleet = {
    ...processes,
    server() {
      throw new Error('no server today\nand no more');
    },
  };
  assert.deepEqual(await openInChromium([1], scenario, patterns, fleet, signal, executable), {
    status: 'skipped',
    reason: 'it went wrong: no server today',
  });
});

test('where it is not installed, or does not start, that is the answer', async () => {
  const open = (path: string) => openInChromium([6], scenario, patterns, watched().fleet, signal, path);
  assert.deepEqual(await open('/nowhere/chromium'), {
    status: 'skipped',
    reason: 'Chromium is not installed (Debian: apt-get install chromium)',
  });
  const failed = await open('/bin/false');
  assert.match(failed.status === 'skipped' ? failed.reason : '', /^Chromium did not start: /);
});
