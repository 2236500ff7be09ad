// Plays the broker of a trial, or the emulator of a queue: it starts at once, ends at once, and what was done
// to it is kept.

import type { BrokerProcess } from '../../harness/cluster/brokers.ts';
import type { Emulator } from '../../harness/cluster/emulators.ts';
import type { Fleet } from '../../harness/trial/fleet.ts';
import type { World } from './world.ts';

export function fakeBroker(
  { clock, running, happened, names }: World,
  { kind }: Parameters<Fleet['broker']>[0],
): BrokerProcess {
  const name = 'broker';
  let pid: number | undefined;
  const note = (what: string) => void happened.push({ name, what: { kind: what }, atUs: clock.nowUs() });
  return {
    role: 'broker',
    access: { kind, url: 'redis://127.0.0.1:1', name: 'fake' },
    get pid() {
      return pid;
    },
    broken: new Promise(() => {}),
    start() {
      pid = 1000 + names.size;
      names.set(pid, name);
      running.add(name);
      note('started');
      return Promise.resolve();
    },
    end(how) {
      pid = undefined;
      running.delete(name);
      note(how);
      return Promise.resolve();
    },
    stop() {
      pid = undefined;
      running.delete(name);
      return Promise.resolve();
    },
  };
}

export function fakeEmulator({ clock, happened }: World): Emulator {
  return {
    role: 'broker',
    pid: undefined,
    broken: new Promise(() => {}),
    start() {
      happened.push({ name: 'emulator', what: { kind: 'started' }, atUs: clock.nowUs() });
      return Promise.resolve('http://127.0.0.1:1');
    },
    stop: () => Promise.resolve(),
  };
}
