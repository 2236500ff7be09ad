// Holds in virtual time how servers are replaced: who is told what when, who goes and comes, and what stands
// in the result.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { FrontProcess } from '../../../harness/cluster/in-front.ts';
import { faultWarnings } from '../../../core/figures/fault-warnings.ts';
import { figureOf } from '../../../core/metrics/registry.ts';
import { resultSchema } from '../../../core/result/result.ts';
import { fakeFleet, type FakeFleet } from '../../fake/fleet.ts';
import { completed, runFake } from '../../fake/run.ts';
import { renderHtml } from '../../../reports/page/report.ts';
import { renderMarkdown } from '../../../reports/text/markdown.ts';
import { renderTable } from '../../../reports/text/terminal.ts';
import { deployFaults } from './deploy-faults.ts';

const nothing = async () => {};
const plain = (text: string) =>
  text.replaceAll('&#160;', ' ').replaceAll(/\\(.)/g, '$1').replaceAll(/\s+/g, ' ');

/** What happened to servers, in milliseconds from the start of the measured phase. */
function watched(fleet = fakeFleet()) {
  const seen: { what: string; atUs: number }[] = [];
  const note = (what: string) => void seen.push({ what, atUs: fleet.clock.nowUs() });
  const watching: FakeFleet = {
    ...fleet,
    server(index) {
      const peer = fleet.server(index);
      const { send, stop } = peer;
      return {
        ...peer,
        send(command) {
          if (command.kind === 'start') note(`${peer.name} starts`);
          if (command.kind === 'drain') note(`${peer.name} drains`);
          if (command.kind === 'refuse') note(`${peer.name} ${command.mode}`);
          send(command);
        },
        stop: (...given) => (note(`${peer.name} stops`), stop(...given)),
      };
    },
    front: (_kind, { servers }): FrontProcess => ({
      role: 'in-front',
      pid: undefined,
      broken: new Promise(() => {}),
      start: async () => ({ url: servers[0]!.url }),
      drain: async (server) => note(`no more to ${server}`),
      ready: async (server) => note(`again to ${server}`),
      pids: () => [],
      shutDown: nothing,
      sessions: async () => [],
      stats: async () => [],
      reload: nothing,
      stop: nothing,
    }),
  };
  const inWindow = () => {
    const { fromUs, toUs } = fleet.world.window!;
    return seen
      .filter(({ atUs }) => atUs >= fromUs && atUs < toUs)
      .map(({ what, atUs }) => `${(atUs - fromUs) / 1000} ${what}`);
  };
  return { fleet: watching, inWindow };
}

test('servers refuse, are drained, and are replaced one after the other and all at once', async () => {
  const { fleet, inWindow } = watched();
  const { result } = await runFake(`variants: [fake]${deployFaults}`, { fleet });
  assert.deepEqual(inWindow(), [
    '1000 server 2 accept-then-close',
    ...['server', 'server 2', 'server 3'].map((name) => `1000 ${name} dependency-down`),
    '2000 server drains',
    '3000 server stops',
    '3000 server starts',
    '3250 server 2 drains',
    '4250 server 2 stops',
    '4250 server 2 starts',
    '4500 server 3 drains',
    '5500 server 3 stops',
    '5500 server 3 starts',
    ...['server 4', 'server 5', 'server 6'].map((name) => `8000 ${name} starts`),
    ...['server', 'server 2', 'server 3'].map((name) => `8500 ${name} drains`),
    ...['server', 'server 2', 'server 3'].map((name) => `9500 ${name} stops`),
    '12000 server 4 drains',
  ]);
  const trial = completed(result);
  assert.deepEqual(
    trial.faults!.map(({ did, atUs, tookUs }) => [did, atUs, tookUs]),
    [
      ['server 2 closed new connections as soon as it had accepted them, for 500ms', 1_000_000, undefined],
      ['the server refused its subscribers, as a dependency was down, for 500ms', 1_000_000, undefined],
      [
        'all servers were replaced, one after the other, with 1s for the goodbyes of each',
        2_000_000,
        3_500_000,
      ],
      ['all servers were replaced by others, with 1s for the goodbyes', 8_000_000, 1_500_000],
      ['server 4 began to let its clients go, over 1s', 12_000_000, undefined],
    ],
  );
  const written = JSON.parse(JSON.stringify(result));
  assert.deepEqual(resultSchema.parse(written), written);
});

test('what is in front is told first, and last', async () => {
  const { fleet, inWindow } = watched();
  await runFake(
    'variants: [fake]\nservers: { count: 2, in-front: haproxy }\n' +
      'faults: [{ at: 2s, deploy: rolling, window: 1s, parallel: 2 }, ' +
      '{ at: 5s, deploy: blue-green, window: 1s }]',
    { fleet },
  );
  assert.deepEqual(inWindow(), [
    '2000 no more to 1',
    '2000 no more to 2',
    '2000 server drains',
    '2000 server 2 drains',
    '3000 server stops',
    '3000 server 2 stops',
    '3000 server starts',
    '3000 server 2 starts',
    '3000 again to 1',
    '3000 again to 2',
    '5000 no more to 3',
    '5000 no more to 4',
    '5000 server 3 starts',
    '5000 server 4 starts',
    '5000 again to 3',
    '5000 again to 4',
    '5000 no more to 1',
    '5000 no more to 2',
    '5000 server drains',
    '5000 server 2 drains',
    '6000 server stops',
    '6000 server 2 stops',
  ]);
});

test('a deploy that cannot be done, as a server was killed in its course, is said to be none', async () => {
  const { result } = await runFake(
    'variants: [fake]\nservers: { count: 3 }\n' +
      'faults: [{ at: 2s, deploy: rolling, window: 2s }, { at: 3s, kill: 3 }]',
  );
  assert.deepEqual(
    completed(result).faults!.map(({ kind, atUs }) => [kind, atUs]),
    [
      ['deploy', null],
      ['kill', 3_000_000],
    ],
  );
  const [warning] = result.trials[0]!.warnings.filter(({ code }) => code === 'fault-not-done');
  assert.match(warning!.message, /all servers were replaced.*\(server 3 was not drained: it ended/);
});

test('what drained servers say of their clients is in the result and in every form of a report', async () => {
  const { result } = await runFake(
    'variants: [fake]\nservers: { count: 3, broker: redis-streams }\n' +
      'faults: [{ at: 1s, deploy: rolling, window: 1s }, { at: 6s, drain: 1, window: 1s }, ' +
      '{ at: 6s, drain: all, window: 2s }, { at: 19s, drain: 2, window: 60s }]',
  );
  const [rolling, one, all, tooLong] = completed(result).faults!.map(({ letGo }) => letGo);
  assert.deepEqual(rolling, { servers: 3, told: 90, left: 75, closedAtLimit: 15 });
  assert.deepEqual(one, { servers: 1, told: 30, left: 25, closedAtLimit: 5 }, 'after a deploy, too');
  assert.deepEqual(all?.servers, 3);
  assert.equal(tooLong, undefined, 'the trial was over before it was');
  const words = /told 90 clients to go; 75 left before the limit, 15 were closed at it/;
  assert.match(plain(await renderHtml([result], { interactive: false })), words);
  const line = /drained servers told 210 clients to go; 175 left before the limit, 35 were closed at it/;
  assert.match(plain(renderTable([result], { columns: 0, color: false })), line);
  assert.match(plain(renderMarkdown([result])), line);
});

test('a deploy that goes on behind the measured phase is a warning', async () => {
  const { result } = await runFake(
    'variants: [fake]\nservers: { count: 3 }\nfaults: [{ at: 18s, deploy: rolling, window: 1s }]',
  );
  const trial = completed(result);
  const [deploy] = trial.faults!;
  assert.deepEqual([deploy!.unfinished, deploy!.tookUs], [undefined, 3_000_000], 'the drain waits for it');
  const of = (code: string) => result.trials[0]!.warnings.filter((one) => one.code === code);
  assert.match(of('fault-outlasts')[0]!.message, /took 3(\.\d+)? s and ended 1(\.\d+)? s after the measured/);
});

test('and one that is not over when the trial ends is of no length', async () => {
  const { result } = await runFake(
    'variants: [fake]\nservers: { count: 3 }\nfaults: [{ at: 18s, deploy: rolling, window: 1s }]',
  );
  const ran = completed(result);
  const trial = { ...ran, faults: [{ ...ran.faults![0]!, unfinished: true as const, tookUs: 5_000_000 }] };
  assert.equal(figureOf('faults.length', trial).value, undefined);
  const [warning] = faultWarnings(trial);
  assert.match(
    warning!.message,
    /more than 5 s and was not over when the subscribers were closed, 3 s after/,
  );
});

test('a drain that HAProxy is not told of is a note, with what to write', async () => {
  const notesOf = async (faults: string, inFront = 'haproxy') => {
    const { result } = await runFake(
      `variants: [fake]\nservers: { count: 3, broker: redis-streams, in-front: ${inFront} }\n` +
        `faults: [${faults}]`,
    );
    return result.trials[0]!.warnings.filter(({ code }) => code === 'drained-behind-haproxy');
  };
  const drain = '{ at: 2s, drain: 2, window: 1s }';
  const [note, ...more] = await notesOf(drain);
  assert.deepEqual(more, []);
  assert.match(note!.message, /\{ at: 2s, in-front: drain, server: 2 \}/);
  const told = '{ at: 1s, in-front: drain, server: 2 }';
  assert.deepEqual(await notesOf(`${told}, ${drain}`), []);
  assert.equal((await notesOf(`${told}, { at: 1500ms, in-front: ready, server: 2 }, ${drain}`)).length, 1);
  assert.equal((await notesOf(`{ at: 1s, in-front: drain, server: 1 }, ${drain}`)).length, 1);
  assert.deepEqual(await notesOf(drain, 'list'), []);
  assert.deepEqual(await notesOf(drain, '{ kind: haproxy, check: http }'), [], 'it asks');
});
