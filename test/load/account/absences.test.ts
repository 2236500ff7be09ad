// The account of subscribers that are away, against a plain model that keeps everything and adds up at the
// end; and the connections that they opened.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { fromSparse, newHistogram, record, toSparse } from '../../../core/result/histogram.ts';
import { absenceCauses, peakPerS, type AbsenceCause } from '../../../core/result/recovery.ts';
import { createConnectLog } from '../../../load/wire/connect-log.ts';
import { deliver, plan, seqs, setup } from './fixture.ts';

const stepUs = 1000;
const subscribers = 3;
const topics = ['news', 'room'] as const;

type Op =
  | { kind: 'publish'; topic: 0 | 1 }
  | { kind: 'deliver'; i: number; topic: 0 | 1; nth: number }
  | { kind: 'lost'; i: number; cause: AbsenceCause }
  | { kind: 'ready'; i: number; resumes: boolean }
  | { kind: 'reset' | 'gone'; i: number };

const i = fc.nat(subscribers - 1);
const topic = fc.constantFrom(0 as const, 1 as const);
const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('publish' as const), topic }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('deliver' as const), i, topic, nth: fc.nat(4) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('lost' as const), i, cause: fc.constantFrom(...absenceCauses) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('ready' as const), i, resumes: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('reset' as const, 'gone' as const), i }) },
);

type Event = { seq: number; acceptedUs: number };
type Arrival = Event & { topic: number; atUs: number; present: boolean };
type Absence = {
  cause: AbsenceCause;
  lostUs: number;
  highest: number[];
  readyUs?: number;
  resumes?: boolean;
  reset?: true;
  gone?: true;
};
type Client = { up: boolean; met: boolean; absences: Absence[]; got: Arrival[] };

/** Plays the operations to a recorder, and remembers them. */
function play(ops: readonly Op[], windowAt: number) {
  const { recorder } = setup({
    count: subscribers,
    topics: plan(subscribers, { news: { count: 1, follow: 1 }, room: { count: 1, follow: 1 } }),
  });
  const clients = Array.from({ length: subscribers }, (): Client => ({
    up: false,
    met: false,
    absences: [],
    got: [],
  }));
  const published: Event[][] = [[], []];
  let fromUs = Infinity;
  ops.forEach((one, step) => {
    const atUs = (step + 1) * stepUs;
    if (step === windowAt) {
      fromUs = atUs;
      recorder.setWindow({ warmupFromUs: 0, fromUs, toUs: 1e12, slotUs: 1e6 });
    }
    if (one.kind === 'publish') {
      published[one.topic]!.push({ seq: published[one.topic]!.length + 1, acceptedUs: atUs });
      return;
    }
    const client = clients[one.i]!;
    const last = client.absences.at(-1);
    if (one.kind === 'deliver') {
      const event = published[one.topic]!.at(-1 - one.nth);
      if (!event || client.got.some(({ topic, seq }) => topic === one.topic && seq === event.seq)) return;
      deliver(recorder, {
        subscriber: one.i,
        topic: topics[one.topic],
        seq: event.seq,
        plannedUs: event.acceptedUs,
        atUs,
      });
      client.got.push({ ...event, topic: one.topic, atUs, present: client.up });
    } else if (one.kind === 'lost') {
      recorder.sink.lost(one.i, atUs, one.cause);
      if (!client.up) return;
      client.up = false;
      const highest = topics.map((_, t) =>
        Math.max(0, ...client.got.filter(({ topic }) => topic === t).map(({ seq }) => seq)),
      );
      client.absences.push({ cause: one.cause, lostUs: atUs, highest });
    } else if (one.kind === 'ready') {
      recorder.sink.ready(one.i, atUs, one.resumes);
      if (!client.up && client.met) Object.assign(last!, { readyUs: atUs, resumes: one.resumes });
      client.up = client.met = true;
    } else {
      recorder.sink[one.kind](one.i);
      if (one.kind === 'gone') {
        if (last && !client.up) last.gone = true;
        return;
      }
      const heard = client.got.some(
        (event) => event.acceptedUs >= fromUs && event.atUs > (last?.readyUs ?? Infinity),
      );
      if (last && (!client.up || !heard)) last.reset = true;
    }
  });
  const endUs = (ops.length + 1) * stepUs;
  const coming = recorder.coming();
  recorder.closing(endUs);
  const measured = published.map((all) => all.filter(({ acceptedUs }) => acceptedUs >= fromUs));
  const closed = recorder.close(
    seqs(...measured.map((all) => all[0]?.seq ?? 1)),
    seqs(...measured.map((all) => all.at(-1)?.seq ?? 0)),
  );
  return { coming, closed, clients, measured, fromUs, endUs };
}

/** What an absence came to, from all that is known. */
function modelOf({ clients, measured, fromUs, endUs }: ReturnType<typeof play>) {
  const isLive = ({ absences }: Client, { acceptedUs, atUs, present }: Arrival) =>
    present &&
    acceptedUs >= fromUs &&
    acceptedUs >= (absences.findLast(({ readyUs = Infinity }) => readyUs < atUs)?.readyUs ?? 0);
  const counted = clients.flatMap((client) =>
    client.absences
      .map((absence, n) => ({ ...absence, next: client.absences[n + 1]?.lostUs ?? Infinity, client }))
      .filter(({ readyUs = endUs }) => readyUs > fromUs && fromUs < Infinity),
  );
  const groups = absenceCauses.map((cause) => {
    const all = counted.filter((one) => one.cause === cause);
    const [connected, caughtUp] = [newHistogram(), newHistogram()];
    const of = (holds: (one: (typeof all)[number]) => boolean) => all.filter(holds).length;
    for (const { lostUs, readyUs, next, resumes, reset, client } of all) {
      if (readyUs === undefined) continue;
      record(connected, readyUs - lostUs);
      if (reset || !resumes) continue;
      const resumed = client.got.filter(
        ({ acceptedUs, atUs }) =>
          acceptedUs >= fromUs && acceptedUs < readyUs && atUs > readyUs && atUs < next,
      );
      record(caughtUp, Math.max(readyUs, ...resumed.map(({ atUs }) => atUs)) - lostUs);
    }
    const back = (one: (typeof all)[number]) => one.readyUs !== undefined;
    return {
      absences: all.length,
      recovered: of((one) => back(one) && !one.reset && one.resumes === true),
      tooLate: of((one) => back(one) && one.reset === true),
      fresh: of((one) => back(one) && !one.reset && !one.resumes),
      neverBack: of((one) => !back(one)),
      gaveUp: of((one) => !back(one) && one.gone === true),
      downtimeUs: all.reduce(
        (sum, { lostUs, readyUs = endUs }) => sum + readyUs - Math.max(lostUs, fromUs),
        0,
      ),
      longestUs: Math.max(0, ...all.map(({ lostUs, readyUs = endUs }) => readyUs - lostUs)),
      lastBackUs: Math.max(0, ...all.map(({ readyUs = 0 }) => readyUs)),
      connected: toSparse(connected),
      caughtUp: toSparse(caughtUp),
    };
  });
  const missedAway = clients.flatMap((client) =>
    measured.flatMap((all, t) =>
      all.filter(({ seq }) => {
        const got = client.got.filter(({ topic }) => topic === t);
        return (
          !got.some((one) => one.seq === seq) &&
          client.absences.some(({ highest, readyUs = Infinity }) => {
            const live = got.find((one) => one.atUs > readyUs && isLive(client, one));
            return seq > highest[t]! && seq < (live?.seq ?? Infinity);
          })
        );
      }),
    ),
  ).length;
  return {
    cut: groups[0],
    left: groups[1],
    subscribers: new Set(counted.map(({ client }) => client)).size,
    missedAway,
  };
}

const lost: Op = { kind: 'lost', i: 1, cause: 'cut' };
const ready: Op = { kind: 'ready', i: 1, resumes: false };
const came: Op = { kind: 'deliver', i: 1, topic: 1, nth: 0 };
/** What comes while one is away is of no return. */
const heardAway = [lost, { kind: 'publish', topic: 1 } as const, ready, lost, came, ready];

test('absences, how they ended, and what was lost in them are those of the plain model', () => {
  let away = 0;
  fc.assert(
    fc.property(fc.array(op, { minLength: 5, maxLength: 80 }), fc.nat(10), (ops, windowAt) => {
      const played = play(
        [
          ...Array.from({ length: subscribers }, (_, n) => ({
            kind: 'ready' as const,
            i: n,
            resumes: false,
          })),
          ...ops,
        ],
        windowAt,
      );
      const { connects, ...recovery } = played.closed.recovery!;
      const model = modelOf(played);
      assert.deepEqual(recovery, model);
      assert.equal(connects.opened, 0);
      const coming = played.clients.filter(({ up, absences }) => {
        const last = absences.at(-1);
        return !up && last?.cause === 'cut' && !last.gone;
      });
      assert.equal(played.coming, coming.length);
      for (const { absences, recovered, tooLate, fresh, neverBack } of [recovery.cut, recovery.left])
        assert.equal(absences, recovered + tooLate + fresh + neverBack);
      away += model.missedAway;
    }),
    { numRuns: 500, examples: [[[...heardAway, { kind: 'reset', i: 1 }], 0]] },
  );
  assert.ok(away > 0, 'the property looked at no loss');
});

test('an absence ends with the last event that was resumed, not with the connection', () => {
  const { recorder } = setup();
  recorder.setWindow({ warmupFromUs: 0, fromUs: 10_000, toUs: 90_000, slotUs: 1000 });
  const { sink } = recorder;
  sink.ready(0, 11_000);
  deliver(recorder, { seq: 1, plannedUs: 12_000 });
  sink.lost(0, 20_000);
  sink.ready(0, 30_000, true);
  deliver(recorder, { seq: 2, plannedUs: 21_000, atUs: 30_500 });
  deliver(recorder, { seq: 3, plannedUs: 29_999, atUs: 34_000 });
  deliver(recorder, { seq: 4, plannedUs: 30_001, atUs: 34_100 });
  deliver(recorder, { seq: 7, plannedUs: 60_000 });
  sink.lost(0, 70_000);
  recorder.closing(80_000);
  sink.ready(0, 80_500, true); // it was under way: too late to be back
  sink.lost(0, 81_000);
  const { recovery, ledger } = recorder.close(seqs(1), seqs(9));
  const { cut, missedAway } = recovery!;
  assert.deepEqual(
    [cut.absences, cut.recovered, cut.neverBack, cut.downtimeUs, cut.longestUs],
    [2, 1, 1, 20_000, 10_000],
  );
  assert.equal(fromSparse(cut.connected).sumUs, 10_000);
  assert.equal(fromSparse(cut.caughtUp).sumUs, 14_000);
  // 5 and 6 were lost while it was there, 8 and 9 while it was away.
  assert.deepEqual([ledger.missed, ledger.resumed, missedAway], [4, 2, 2]);
});

test('connections a second are counted over seconds that begin every 100 ms, over all processes', () => {
  const [one, other] = [createConnectLog(), createConnectLog()];
  one.log.opened(900_000); // before there is a window
  for (const process of [one, other]) process.countFrom(1_000_000);
  const opened = (process: typeof one, ...ms: number[]) =>
    ms.forEach((at) => process.log.opened(1e6 + at * 1000));
  opened(one, -1, 0, 950, 1050, 1950);
  opened(other, 999, 1000, 1050, 1899);
  one.log.tried(1_000_000);
  one.log.refused(1_500_000);
  one.closing(5_000_000);
  one.log.refused(5_000_000);
  const closed = [one.close(), other.close()];
  assert.deepEqual([closed[0]!.tried, closed[0]!.opened, closed[0]!.refused], [1, 4, 1]);
  // 900 to 1900 ms: 950, 999, 1000, 1050, 1050, 1899.
  assert.equal(peakPerS(closed), 6);
  assert.equal(peakPerS([]), 0);
});

test('the peak is that of a plain count over every second', () => {
  const bins = fc.uniqueArray(fc.nat(60), { maxLength: 30 }).map((all) => all.sort((a, b) => a - b));
  const log = bins.chain((at) =>
    fc.record({
      bins: fc.constant(Int32Array.from(at)),
      counts: fc
        .array(fc.integer({ min: 1, max: 9 }), { minLength: at.length, maxLength: at.length })
        .map((all) => Uint32Array.from(all)),
    }),
  );
  fc.assert(
    fc.property(fc.array(log, { maxLength: 3 }), (all) => {
      const inSecond = (from: number) =>
        all.reduce(
          (sum, one) =>
            sum +
            one.bins.reduce((n, bin, k) => (bin >= from && bin < from + 10 ? n + one.counts[k]! : n), 0),
          0,
        );
      assert.equal(peakPerS(all), Math.max(...Array.from({ length: 61 }, (_, from) => inSecond(from))));
    }),
  );
});
