// Plays HAProxy in front of the servers of a trial: what it is told is kept.

import type { FrontProcess } from '../../harness/cluster/in-front.ts';
import type { Fleet } from '../../harness/trial/fleet.ts';
import type { World } from './world.ts';

export function fakeFront(
  { clock, happened }: World,
  { servers }: Parameters<Fleet['front']>[1],
): FrontProcess {
  const told = (kind: string) => (server?: number) => {
    const what = { kind, ...(server !== undefined && { server }) };
    happened.push({ name: 'haproxy', what, atUs: clock.nowUs() });
    return Promise.resolve();
  };
  return {
    role: 'in-front',
    pid: undefined,
    broken: new Promise(() => {}),
    start: () => Promise.resolve({ url: servers[0]!.url }),
    drain: told('drain'),
    ready: told('ready'),
    shutDown: told('shutdown'),
    reload: told('reload'),
    replace: () => Promise.resolve(),
    setMaxconn: () => Promise.resolve(),
    pids: () => [],
    isEmpty: () => Promise.resolve(true),
    sessions: () => Promise.resolve([]),
    stats: () => Promise.resolve([]),
    stop: () => Promise.resolve(),
  };
}
