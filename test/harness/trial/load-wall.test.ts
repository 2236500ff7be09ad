// Fails ramps in virtual time: that load processes stopped at a limit of their own machines is said only
// where all of them say so of one count.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import type { LoadCommand, LoadReport } from '../../../core/protocol/control.ts';
import { fakeFleet } from '../../fake/fleet.ts';
import { runFake } from '../../fake/run.ts';
import { scripted } from '../../fake/world.ts';
import { loadSample } from './scripted-stage.ts';

/** How a load process ends its ramp. @property lateMs how long after the first */
type End = { connected: number; code?: string; lateMs?: number };

const message = '5 of 50 subscribers were not subscribed 31 s after the start';

/** The failure of a trial whose load processes end their ramps so; one without an end has all. */
async function failureOf(...ends: (End | undefined)[]): Promise<string> {
  const fleet = fakeFleet();
  const { result } = await runFake(`variants: [fake]\nloadProcesses: ${ends.length}`, {
    fleet: {
      ...fleet,
      load: (index) =>
        scripted<LoadCommand, LoadReport>(fleet.world, `load ${index + 1}`, (command, inbox) => {
          const end = ends[index];
          if (command.kind === 'sample') inbox.deliver(loadSample(fleet.world, 0));
          if (command.kind !== 'start') return;
          if (!end) return inbox.deliver({ kind: 'ready', connectMs: 1 });
          const { lateMs = 0, ...short } = end;
          const giveUp = () => {
            inbox.deliver({ kind: 'short', ...short });
            inbox.deliver({ kind: 'failed', code: 'not-connected', message });
          };
          if (lateMs > 0) setTimeout(giveUp, lateMs);
          else giveUp();
        }),
    },
  });
  assert.deepEqual([...fleet.running], []);
  const { outcome } = result.trials[0]!;
  assert.ok(outcome.status === 'failed' && outcome.code === 'not-connected', JSON.stringify(outcome));
  assert.ok(outcome.message.startsWith(`load 1: ${message}`), outcome.message);
  return outcome.message.slice(`load 1: ${message}`.length);
}

const ports = (connected: number, lateMs?: number): End => ({
  connected,
  code: 'EADDRNOTAVAIL',
  ...(lateMs !== undefined && { lateMs }),
});

test('load processes that all had no ports left at one count are at a limit of their machines', async () => {
  assert.equal(
    await failureOf(ports(28_232), ports(28_000, 20), ports(28_232)),
    '. Each of the 3 load processes stopped at 28,000 to 28,232 subscribers, short of its share, and their ' +
      'systems said EADDRNOTAVAIL: that is a limit of the machines that make the load (ports, ' +
      'descriptors), and not of the server. Raise it there, or take more machines',
  );
  assert.match(
    await failureOf(ports(960), { connected: 960, code: 'EMFILE' }),
    /stopped at 960 subscribers, .* systems said EADDRNOTAVAIL and EMFILE: /,
  );
});

describe('nothing of the kind is said', () => {
  const cases: [when: string, ...ends: (End | undefined)[]][] = [
    ['of counts that differ', ports(1000), ports(989)],
    ['where a server refused one of them', ports(1000), { connected: 1000, code: 'ECONNREFUSED' }],
    ['where one of them met no error', ports(1000), { connected: 1000 }],
    ['where none of them connected anybody', ports(0), ports(0)],
    ['where one of them has all of its subscribers', ports(1000), undefined],
    ['of a load process by itself', ports(1000)],
  ];
  for (const [when, ...ends] of cases) test(when, async () => assert.equal(await failureOf(...ends), ''));
});
