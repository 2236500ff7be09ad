// Holds what workers and coordinators compute: shares of the ledger, clocks, signed messages, addresses.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { allowedHost } from '../../../core/http/access.ts';
import type { EventNumber } from '../../../core/protocol/control.ts';
import { newCounters } from '../../../core/result/counters.ts';
import { merge, newHistogram, quantileUs, record, toSparse } from '../../../core/result/histogram.ts';
import type { SparseHistogram } from '../../../core/result/histogram.ts';
import { newLedger } from '../../../core/result/ledger.ts';
import { planTopics, topicCount } from '../../../core/scenario/topics.ts';
import { hostsOf, maySendTo, ownPlace } from '../../../harness/workers/addresses.ts';
import { boundOver, readClock, shiftBetween } from '../../../harness/workers/clock-offset.ts';
import { closeLost } from '../../../harness/workers/lost-share.ts';
import { openOffer, sealOffer } from '../../../harness/workers/messages.ts';
import { keyFor, seal, secretOf, unseal } from '../../../harness/workers/secret.ts';
import { createSlots } from '../../../load/account/ledger-slots.ts';
import { settle } from '../../../load/account/settle.ts';

const secret = secretOf('a token of the tests');

describe('the share of a load process that was lost', () => {
  const trials = fc.record({
    subscribers: fc.integer({ min: 1, max: 12 }),
    first: fc.nat({ max: 11 }),
    count: fc.integer({ min: 0, max: 12 }),
    groups: fc.array(
      fc.record({ count: fc.integer({ min: 1, max: 5 }), follow: fc.integer({ min: 1, max: 3 }) }),
      {
        minLength: 1,
        maxLength: 3,
      },
    ),
    ranges: fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.nat({ max: 12 })), {
      minLength: 15,
      maxLength: 15,
    }),
    unconfirmed: fc.uniqueArray(fc.tuple(fc.nat({ max: 14 }), fc.integer({ min: 1, max: 14 })), {
      maxLength: 6,
      selector: ([topic, seq]) => `${topic} ${seq}`,
    }),
    delivered: fc.nat({ max: 400 }),
  });

  test('is what it would have been owed by its own account, and no delivery is in it twice', () => {
    fc.assert(
      fc.property(trials, ({ subscribers, first, count, groups, ranges, unconfirmed, delivered }) => {
        const topics = planTopics({
          subscribers,
          topics: Object.fromEntries(
            groups.map((group, i) => [`t${i}`, { ...group, publish: { kind: 'constant', perS: 1 } }]),
          ),
        } as unknown as Parameters<typeof planTopics>[0]); // of a group nothing but counts is asked
        const total = topicCount(topics);
        const [from, to] = [first % subscribers, Math.min(subscribers, (first % subscribers) + count)];
        const share = { first: from, count: to - from, topics };
        const firstSeq = Int32Array.from(ranges.slice(0, total), ([seq]) => seq);
        const lastSeq = Int32Array.from(ranges.slice(0, total), ([, seq]) => seq);
        const nobodys: EventNumber[] = unconfirmed
          .map(([topic, seq]) => ({ topic, seq }))
          .filter(({ topic }) => topic < total);
        const slots = createSlots(topics, from, to - from, subscribers);
        const absences = { whileAway: () => 0 };
        const account = { ledger: newLedger(slots.count), slots, absences, first: from };
        const { expected } = settle(account, firstSeq, lastSeq, nobodys);
        const last = { counters: newCounters(), delivered };
        const { ledger } = closeLost(share, { firstSeq, lastSeq, unconfirmed: nobodys }, last, 'why');
        assert.equal(ledger.expected, expected);
        assert.equal(ledger.delivered, Math.min(delivered, expected));
        assert.equal(ledger.delivered + ledger.unreported!, ledger.expected);
      }),
    );
  });
});

test('percentiles of histograms that came from several workers are those of one process', () => {
  const latencies = fc.array(fc.integer({ min: 0, max: 5_000_000 }), { maxLength: 60 });
  fc.assert(
    fc.property(fc.array(latencies, { minLength: 1, maxLength: 5 }), (shares) => {
      const merged = newHistogram();
      const whole = newHistogram();
      for (const [n, share] of shares.entries()) {
        const own = newHistogram();
        for (const us of share) for (const into of [own, whole]) record(into, us);
        const key = keyFor(secret.key, String(n));
        const sent = JSON.parse(JSON.stringify(seal(key, n, [toSparse(own)]))) as ReturnType<typeof seal>;
        merge(merged, unseal(key, sent)![0] as SparseHistogram);
      }
      assert.deepEqual(merged, whole);
      for (const quantile of [0, 0.5, 0.99, 1])
        assert.equal(quantileUs(merged, quantile), quantileUs(whole, quantile));
    }),
  );
});

describe('messages', () => {
  const key = keyFor(secret.key, 'one');

  test('come as they were sent, typed arrays too', () => {
    const message = {
      kind: 'closed',
      latenciesUs: Int32Array.of(3, -1),
      counts: new Float64Array(2),
      minUs: Infinity,
    };
    assert.deepEqual(unseal(key, seal(key, 4, [message])), [message]);
  });

  test('are not read when another key, another place or another body is in them', () => {
    const sealed = seal(key, 4, ['a']);
    assert.equal(unseal(keyFor(secret.key, 'two'), sealed), undefined);
    assert.equal(unseal(key, { ...sealed, n: 5 }), undefined);
    assert.equal(unseal(key, { ...sealed, body: seal(key, 4, ['b']).body }), undefined);
    assert.equal(unseal(key, { ...sealed, mac: '' }), undefined);
  });

  test('a place in a run is offered by who has the token', () => {
    const offer = { run: '0123456789abcdef', seat: 1 };
    assert.deepEqual(openOffer(secret, sealOffer(secret, offer)), offer);
    assert.equal(openOffer(secretOf('the token of another'), sealOffer(secret, offer)), undefined);
    assert.equal(openOffer(secret, { n: 0 }), undefined);
    assert.equal(openOffer(secret, sealOffer(secret, { ...offer, run: '../../x' })), undefined);
  });

  test('a token names its queues and is not in the name; a short one is refused', () => {
    assert.equal(secretOf('a token of the tests').prefix, secret.prefix);
    assert.notEqual(secretOf('a token of the test').prefix, secret.prefix);
    assert.match(secret.prefix, /^pushbench-load-[\da-f]{32}$/);
    assert.throws(() => secretOf('short'), /has 5 characters.*openssl rand -hex 16/s);
  });
});

describe('clocks', () => {
  /** A machine whose clock is behind Redis's by so much, with these times of the way there and back. */
  const machine = (behindUs: number, trips: [there: number, back: number][]) => {
    let atUs = 1_000_000;
    let asked = 0;
    return {
      nowUs: () => atUs,
      async time(): Promise<[number, number]> {
        const [there, back] = trips[asked++ % trips.length]!;
        const redisUs = atUs + there + behindUs;
        atUs += there + back;
        return [Math.floor(redisUs / 1e6), redisUs % 1e6];
      },
    };
  };
  const trips = fc.array(fc.tuple(fc.nat({ max: 5000 }), fc.nat({ max: 5000 })), {
    minLength: 1,
    maxLength: 8,
  });

  test('are known to within the bound, however the round trips went', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: 2_000_000_000 }),
        fc.nat({ max: 9e6 }),
        trips,
        trips,
        async (a, b, x, y) => {
          const [one, other] = [machine(a, x), machine(b, y)];
          const [worker, own] = [await readClock(one, one.nowUs), await readClock(other, other.nowUs)];
          const { shiftUs, boundUs } = shiftBetween(worker, own);
          assert.ok(Math.abs(shiftUs - (a - b)) <= boundUs + 1, `${shiftUs} for ${a - b}, within ${boundUs}`);
          const [least] = x.map(([there, back]) => there + back).toSorted((p, q) => p - q);
          assert.equal(worker.halfTripUs, least! / 2);
        },
      ),
    );
  });

  test('what they drift by in a trial is a part of the bound', () => {
    const begin = { shiftUs: 1000, boundUs: 50 };
    assert.deepEqual(boundOver(begin, { shiftUs: 1010, boundUs: 20 }), { driftUs: 10, boundUs: 50 });
    assert.deepEqual(boundOver(begin, { shiftUs: 700, boundUs: 20 }), { driftUs: -300, boundUs: 320 });
  });
});

describe('addresses', () => {
  test('load goes to loopback and to what was named', () => {
    for (const host of ['127.0.0.1', '127.9.0.1', '::1', 'localhost']) assert.ok(maySendTo(host, []), host);
    assert.ok(maySendTo('10.0.0.5', ['10.0.0.5']));
    for (const host of ['10.0.0.6', '10.0.0.5.example', '0.0.0.0', ''])
      assert.ok(!maySendTo(host, ['10.0.0.5']), host);
  });

  test('every host that an endpoint names is looked at', () => {
    const url = 'http://127.0.0.1:1';
    const endpoint = { url, over: 'h1' as const, publishUrl: url };
    assert.deepEqual(hostsOf(endpoint), ['127.0.0.1']);
    const urls = [url, 'http://[fd00::1]:2'];
    const more = { ...endpoint, urls, publishUrls: ['http://10.0.0.1:3'], publishUrl: 'nonsense' };
    assert.deepEqual(hostsOf(more).toSorted(), ['10.0.0.1', '127.0.0.1', 'fd00::1', 'nonsense']);
  });

  test('a host is compared in the form that --allow has, however a URL writes it', () => {
    const hosts = ['10.0.0.1', 'bench.example.', 'FD00:0::1', '::ffff:10.0.0.1'];
    const urlOf = (host: string) => `http://${host.includes(':') ? `[${host}]` : host}:1/events`;
    for (const host of hosts) {
      const [named, ...more] = hostsOf({ url: urlOf(host), over: 'h1', publishUrl: urlOf(host) });
      assert.ok(maySendTo(named!, [allowedHost(host)!]), `${named} for ${host}`);
      assert.deepEqual(more, []);
    }
  });

  test('a loopback is that of one network namespace, or of a machine', () => {
    const files = (boot: string | undefined, network: string) => ({ read: () => boot, link: () => network });
    assert.equal(ownPlace(files('b', 'net:[1]')), ownPlace(files('b\n', 'net:[1]')));
    assert.notEqual(ownPlace(files('b', 'net:[1]')), ownPlace(files('b', 'net:[2]')));
    assert.notEqual(ownPlace(files('b', 'net:[1]')), ownPlace(files('c', 'net:[1]')));
    assert.equal(ownPlace(files(undefined, 'x')), ownPlace(files(undefined, 'y')));
  });
});
