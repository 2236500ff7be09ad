// Gives the tests of the fan-out outlets that they hold in their hand, where every byte can be counted.

import { Duplex } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import type { TestContext } from 'vitest';
import { newCounters } from '../../../core/result/counters.ts';
import { decodeEnvelope } from '../../../core/event/envelope.ts';
import { random } from '../../../core/base/random.ts';
import { defaultLimits, type ServerLimits } from '../../../core/scenario/scenario.ts';
import { createFanOut } from '../../../servers/streams/fan-out.ts';
import { createFraming } from '../../../servers/streams/framing.ts';
import { createHub } from '../../../servers/hub/hub.ts';

/** An outlet that takes `room` bytes at once and the rest when it is told. */
export function heldOutlet(room = 0) {
  const taken: Buffer[] = [];
  let waiting: (() => void) | undefined;
  let left = room;
  const outlet = new Duplex({
    read() {},
    write(bytes: Buffer, _encoding, done) {
      taken.push(bytes);
      left -= bytes.length;
      if (left >= 0) done();
      else waiting = done;
    },
  });
  /** Takes one write. */
  async function take(): Promise<void> {
    const done = waiting;
    waiting = undefined;
    done?.();
    await turn();
  }
  return {
    outlet,
    text: () => Buffer.concat(taken).toString(),
    take,
    async drain() {
      while (outlet.writableLength > 0) await take();
    },
  };
}

export const framing = () =>
  createFraming(
    (text) => Buffer.from(text),
    (events) => Buffer.from(events.map(({ json }) => `${json}\n`).join('')),
  );

export function setUp(t: TestContext, given: Partial<ServerLimits> = {}) {
  const limits = { ...defaultLimits, ...given };
  const counters = newCounters();
  const hub = createHub(limits, { epoch: 'e' });
  const lines = framing();
  const fanOut = createFanOut<string>(
    { hub, limits, counters, countConnection() {}, random: random(1, 'fan-out') },
    {
      isOpen: ({ outlet }) => outlet.writable,
      cut: ({ outlet }) => outlet.destroy(),
      beat() {},
      beatMs: 1000,
    },
  );
  t.onTestFinished(() => fanOut.end(({ outlet }) => outlet.destroy()));
  return {
    hub,
    counters,
    fanOut,
    lines,
    join: (outlet: Duplex, topics: string[], since?: string) =>
      fanOut.join({
        peer: 'x',
        outlet,
        framing: lines,
        topics,
        since,
        open: (cursor, reset) => void outlet.write(`${cursor} ${reset}\n`),
      }),
  };
}

/** The numbers of the events in a text of lines. */
export const seqsIn = (text: string) =>
  text
    .split('\n')
    .filter((line) => line.startsWith('{"id"'))
    .map((line) => decodeEnvelope(line).seq);
