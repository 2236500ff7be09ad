// Plays a server: listens, counts what its side counts, cuts no connection but says that it did.

import type { ServerCommand, ServerReport } from '../../core/protocol/control.ts';
import { newCounters } from '../../core/result/counters.ts';
import type { ServerPeer } from '../../harness/trial/fleet.ts';
import type { FakeOptions } from './pattern.ts';
import { act, sampleNow, scripted, type World } from './world.ts';

export function fakeServer(world: World, name: string): ServerPeer {
  const { clock } = world;
  world.counters = newCounters();
  world.deliver.clear();
  return scripted<ServerCommand, ServerReport>(world, name, (command, inbox, die) => {
    switch (command.kind) {
      case 'start':
        // The scenario's registry parsed them by the fake's schema.
        world.options = command.options as FakeOptions;
        inbox.deliver({
          kind: 'listening',
          endpoint: { url: 'http://127.0.0.1:1', over: 'h1', publishUrl: 'http://127.0.0.1:1' },
        });
        if (world.options.fail === 'server-dies') clock.at(clock.nowUs() + 5e6, () => die('signal SIGKILL'));
        return;
      case 'sample':
        return inbox.deliver({
          kind: 'sample',
          sample: sampleNow(world),
          counters: { ...world.counters },
          subscribers: 0,
          publishedEvents: 0,
        });
      case 'disconnect':
        return act(world, name, command, inbox);
    }
  });
}
