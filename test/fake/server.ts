// Plays a server: listens, counts what its side counts, cuts no connection but says that it did.

import type { Endpoint, ServerCommand, ServerReport } from '../../core/protocol/control.ts';
import { newCounters } from '../../core/result/counters.ts';
import type { ServerPeer } from '../../harness/trial/fleet.ts';
import { fakeOptions, type FakeOptions } from './pattern.ts';
import { act, lateInWindow, sampleNow, scripted, type World } from './world.ts';

/** The script of the fake pattern; another pattern's deliveries take 10 ms. What is injected comes on top. */
function scriptOf({ options, injection }: Extract<ServerCommand, { kind: 'start' }>): FakeOptions {
  // The scenario's registry parsed them by the fake's schema.
  const script = 'latencies' in options ? (options as FakeOptions) : fakeOptions.parse({});
  return { ...script, latencies: script.latencies.map((ms) => ms + (injection?.delayMs ?? 0)) };
}

function endpointAt(port: number): Endpoint {
  const url = `http://127.0.0.1:${port}`;
  return { url, over: 'h1', publishUrl: url };
}

function lateMs({ clock, window, options }: World): number {
  const silentMs = window ? (window.fromUs - clock.nowUs()) / 1000 + options.silentFor : 0;
  return Math.max(options.samplesLate, silentMs);
}

export function fakeServer(world: World, name: string): ServerPeer {
  const { clock, servers } = world;
  // The first process of a trial; others find the trial going on.
  if (world.running.size === 0) {
    world.counters = newCounters();
    world.window = undefined;
    world.deliver.clear();
    servers.clear();
  }
  return scripted<ServerCommand, ServerReport>(world, name, (command, inbox, die) => {
    const report = () =>
      inbox.deliver({
        kind: 'sample',
        sample: sampleNow(world),
        counters: { ...(servers.get(name) ?? newCounters()) },
        subscribers: 0,
        publishedEvents: 0,
      });
    switch (command.kind) {
      case 'start':
        world.options = scriptOf(command);
        servers.set(name, newCounters());
        inbox.deliver({
          kind: 'listening',
          endpoint: endpointAt(command.ports?.main ?? 1),
        });
        if (world.options.fail === 'server-dies') clock.at(clock.nowUs() + 5e6, () => die('signal SIGKILL'));
        return;
      case 'sample':
        return lateInWindow(world, lateMs(world), report);
      case 'stop':
        return report();
      case 'disconnect':
      case 'refuse':
        return act(world, name, command, inbox);
      case 'drain': {
        act(world, name, command, inbox);
        const drained = { told: 30, left: 25, closedAtLimit: 5, tookMs: command.windowMs };
        void clock.until(clock.nowUs() + command.windowMs * 1000).then(() => {
          if (world.running.has(name))
            inbox.deliver({ kind: 'drained', act: command.act, atUs: clock.nowUs(), ...drained });
        });
        return;
      }
    }
  });
}
