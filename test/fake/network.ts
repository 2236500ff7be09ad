// Plays the network between the processes: passes nothing on, as the scripted ones need none, and says that
// it did what faults ask for.

import type { NetworkCommand, NetworkReport } from '../../core/protocol/network.ts';
import type { NetworkPeer } from '../../harness/trial/fleet.ts';
import { noTraffic } from '../../network/proxy.ts';
import { act, sampleNow, scripted, type World } from './world.ts';

export function fakeNetwork(world: World): NetworkPeer {
  return scripted<NetworkCommand, NetworkReport>(world, 'network', (command, inbox) => {
    switch (command.kind) {
      case 'open':
        return inbox.deliver({ kind: 'opened', urls: command.routes.map(({ to }) => to) });
      case 'sample':
        return inbox.deliver({ kind: 'sample', sample: sampleNow(world), traffic: noTraffic });
      case 'impose':
        return act(world, 'network', command, inbox);
    }
  });
}
