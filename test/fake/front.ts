// Plays HAProxy in front of the servers of a trial: what it is told is kept.

import type { FrontProcess } from '../../harness/cluster/in-front.ts';
import type { Fleet } from '../../harness/trial/fleet.ts';
import type { World } from './world.ts';

export function fakeFront(
  { clock, running, happened, names }: World,
  ...[how, setup]: Parameters<Fleet['front']>
): FrontProcess {
  const name = 'in front';
  let pid: number | undefined;
  const note = (kind: string, more: Record<string, unknown> = {}) => {
    happened.push({ name, what: { kind, ...more }, atUs: clock.nowUs() });
    return Promise.resolve();
  };
  return {
    role: 'in-front',
    get pid() {
      return pid;
    },
    pids: () => (pid === undefined ? [] : [pid]),
    broken: new Promise(() => {}),
    async start() {
      pid = 1000 + names.size;
      names.set(pid, name);
      running.add(name);
      await note('started', { how, servers: setup.servers.length });
      return { url: 'http://127.0.0.1:2' };
    },
    drain: (server) => note('drain', { server }),
    ready: (server) => note('ready', { server }),
    shutDown: (server) => note('shutdown', { server }),
    reload: () => note('reload'),
    sessions: () => Promise.resolve([]),
    stats: () => Promise.resolve([]),
    stop() {
      pid = undefined;
      running.delete(name);
      return Promise.resolve();
    },
  };
}
