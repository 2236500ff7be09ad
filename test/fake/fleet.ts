// Gives the harness scripted processes that speak the control protocol in virtual time. It cannot tell them
// from real ones.

import type { Fleet } from '../../harness/trial/fleet.ts';
import { fakeLoad } from './load.ts';
import { fakeNetwork } from './network.ts';
import { fakePublisher } from './publisher.ts';
import { fakeBroker, fakeEmulator } from './broker.ts';
import { fakeFront } from './front.ts';
import { fakeServer } from './server.ts';
import { cpuNow, newWorld, type World } from './world.ts';

/** What happened to the fake processes, for tests to look at. */
export type FakeFleet = Fleet & Pick<World, 'running' | 'happened'> & { world: World };

/** @param cannotStop name of a process that does not stand still, as one that has just ended */
export function fakeFleet({ cannotStop = '' } = {}): FakeFleet {
  const world = newWorld();
  let ports = 20_001;
  const { clock, running, happened, names } = world;
  return {
    clock,
    running,
    happened,
    world,
    freeze(pid, forMs) {
      const name = names.get(pid)!; // it is one of ours
      if (name === cannotStop) return Promise.resolve(false);
      happened.push({ name, what: { kind: 'freeze', forMs }, atUs: clock.nowUs() });
      return Promise.resolve(true);
    },
    probe: {
      hasProc: () => true,
      throttling: () => [],
      countDescriptors: () => 30,
      classifyDescriptors: () => ({ total: 30, sockets: 12 }),
      descriptorLimit: () => 1024,
      cpu: (pid) => (world.options.unseen ? undefined : cpuNow(world, pid)),
      rssBytes: () => 20e6,
      kernelSocketBytes: () => 4096,
      hostMemory: () => ({ availableBytes: 8e9, slabBytes: 2e8, socketBytes: 4096 }),
      // A segment of 100 bytes for each delivery, and what other programs send.
      networkCount: () => ({
        segments: world.counters.events,
        bytes: Math.round(
          100 * world.counters.events + (clock.nowUs() / 1e6) * world.options.othersBytesPerS,
        ),
      }),
    },
    server: (index = 0) => fakeServer(world, index === 0 ? 'server' : `server ${index + 1}`),
    freePort: () => Promise.resolve(ports++),
    broker: (which) => fakeBroker(world, which),
    brokerVersion: ({ kind }) => (kind === 'in-process' ? undefined : `fake ${kind} 1.0`),
    emulator: () => fakeEmulator(world),
    emulatorName: (kind) => `fake ${kind}`,
    front: (how, setup) => fakeFront(world, how, setup),
    frontVersion: ({ kind }) => (kind === 'list' ? undefined : `fake ${kind} 1.0`),
    load: (index) => fakeLoad(world, `load ${index + 1}`),
    publisher: () => fakePublisher(world),
    network: () => fakeNetwork(world),
  };
}
