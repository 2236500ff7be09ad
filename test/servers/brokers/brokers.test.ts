// Holds every broker to what it promises, with a real one each: the same cases for all, and what each answers
// differently stands in the table of test/broker-servers.ts.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join as path } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, test, type TestContext } from 'vitest';
import { UserError } from '../../../core/base/errors.ts';
import { decodeEnvelope } from '../../../core/event/envelope.ts';
import { connectBroker } from '../../../servers/brokers/connect.ts';
import { defaultLimits } from '../../../core/scenario/scenario.ts';
import { accessTo, brokerKinds, cableTo, type BrokerKind, type BrokerServer } from '../../broker-servers.ts';
import { skipWhen } from '../../skip.ts';
import { agree, createPublisher, goOn, isRefusal, join, told, topics, until, type Member } from './hubs.ts';

/** A broker, and this many servers on it. */
async function cluster(
  t: TestContext,
  kind: BrokerKind,
  count: number,
): Promise<{ broker: BrokerServer; access: ReturnType<typeof accessTo>; members: Member[] }> {
  skipWhen(t, brokerKinds[kind].absent);
  const broker = await brokerKinds[kind].start();
  t.onTestFinished(broker.stop);
  const access = accessTo(kind, broker);
  const members = await Promise.all(Array.from({ length: count }, () => join(t, access)));
  return { broker, access, members };
}

const cursors = ({ got }: Member): string[] => got.map(({ id }) => id);

for (const kind of Object.keys(brokerKinds) as BrokerKind[]) {
  const { order, keeps, dedupes, comesBack } = brokerKinds[kind];
  const whereItComesBack = (name: string, run: (t: TestContext) => Promise<void>) =>
    comesBack ? test(name, run) : undefined;
  describe.concurrent(kind, () => {
    test('two publishers at once: every server has every event, in one order if promised', async (t) => {
      const { members } = await cluster(t, kind, 3);
      const publisher = createPublisher();
      let count = 0;
      const stepArb = fc.record({
        server: fc.nat(2),
        topic: fc.constantFrom(...topics),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(stepArb, { minLength: 1, maxLength: 40 }), async (steps) => {
          const halves = [steps.filter((_, i) => i % 2 === 0), steps.filter((_, i) => i % 2 === 1)];
          const places = await Promise.all(
            halves.map(async (half) => {
              const mine = [];
              for (const { server, topic } of half)
                mine.push({ server, place: await publisher.publish(members[server]!, topic) });
              return mine;
            }),
          );
          count += steps.length;
          await agree(members, count, order);
          for (const { server, place } of places.flat()) {
            const event = members[server]!.got.find(({ id }) => id === place.id);
            assert.equal(event?.seq, place.seq, 'the answer is where the event is');
          }
          for (const { hub, got } of members) {
            const after = got[Math.floor(got.length / 2)]!;
            assert.deepEqual(hub.since(topics, after.id), {
              events: got.slice(got.indexOf(after) + 1),
              lost: false,
            });
          }
        }),
        { numRuns: 12 },
      );
      assert.equal(members.map(({ hub }) => hub.skipped()).join(), '0,0,0');
    });

    test('bodies come as they are, and who gives no number gets one', async (t) => {
      const { members } = await cluster(t, kind, 2);
      const bodies = ['{"a": 1 }', 'é🎈 text', 'two\nlines', '', JSON.stringify('x'.repeat(300_000))];
      const places = [];
      for (const [i, body] of bodies.entries())
        places.push(await members[i % 2]!.hub.publish('a', body, { plannedUs: 5, sentUs: 6, crc: 7 }));
      assert.deepEqual(
        places.map(({ seq }) => seq),
        [1, 2, 3, 4, 5],
      );
      await agree(members, bodies.length, order);
      for (const { got } of members)
        for (const [i, { json }] of got.entries()) {
          const { body, seq, plannedUs, sentUs, crc } = decodeEnvelope(json);
          assert.deepEqual([body, seq, plannedUs, sentUs, crc], [bodies[i], i + 1, 5, 6, 7]);
        }
    });

    test('a cursor of one server is a place on another, or comes too late there', async (t) => {
      const { members } = await cluster(t, kind, 2);
      const publisher = createPublisher();
      for (let i = 0; i < 6; i++) await publisher.publish(members[i % 2]!, topics[i % 3]!);
      await agree(members, 6, order);
      const [one, other] = members as [Member, Member];
      const found = other.hub.since(topics, one.got[2]!.id);
      assert.equal(found.lost, !order);
      assert.deepEqual(found.events, order ? one.got.slice(3) : other.got);
    });

    test('a server that starts has what came before if the broker keeps it', async (t) => {
      const { access, members } = await cluster(t, kind, 2);
      const [stays, leaves] = members as [Member, Member];
      const publisher = createPublisher();
      for (let i = 0; i < 5; i++) await publisher.publish(members[i % 2]!, 'a');
      await agree(members, 5, order);
      await leaves.close();
      for (let i = 0; i < 5; i++) await publisher.publish(stays, 'a');
      const again = await join(t, access);
      const { events, lost } = again.hub.since(topics, stays.got[2]!.id);
      assert.equal(lost, !keeps);
      assert.deepEqual(events, keeps ? stays.got.slice(3) : []);
      if (order) assert.equal(again.hub.since(topics, stays.got.at(-1)!.id).lost, false);
      await publisher.publish(stays, 'a');
      await publisher.publish(again, 'a');
      await until('both go on', () => again.got.length === 2 && stays.got.length === 12);
      assert.deepEqual(again.got.map(told), stays.got.slice(-2).map(told));
      if (order) assert.deepEqual(cursors(again), cursors(stays).slice(-2));
      assert.equal(again.hub.skipped(), 0, 'what came before it began it does not lack');
    });

    whereItComesBack(
      'a server that was cut off fetches what it missed, or says and counts what it lacks',
      async (t) => {
        skipWhen(t, brokerKinds[kind].absent);
        const broker = await brokerKinds[kind].start();
        t.onTestFinished(broker.stop);
        const cable = await cableTo(broker);
        t.onTestFinished(cable.close);
        const access = accessTo(kind, broker);
        const stays = await join(t, access);
        const cut = await join(t, { ...access, url: cable.url });
        const publisher = createPublisher();
        for (let i = 0; i < 3; i++) await publisher.publish(i === 1 ? cut : stays, 'a');
        await agree([stays, cut], 3, order);
        const before = cut.hub.cursor();
        cable.cut();
        for (let i = 0; i < 5; i++) await publisher.publish(stays, 'a');
        await assert.rejects(publisher.send(cut, 'b', 1), isRefusal);
        cable.mend();
        await publisher.insist([cut], 'c');
        await publisher.publish(stays, 'a');
        if (keeps) {
          await agree([stays, cut], 10, order);
          assert.deepEqual([cut.hub.skipped(), cut.hub.since(topics, before).lost], [0, false]);
        } else {
          await until('it goes on', () => cut.got.length === 5 && stays.got.length === 10);
          assert.equal(cut.hub.skipped(), 5);
          assert.equal(cut.hub.since(topics, before).lost, true);
          assert.equal(cut.hub.since(topics, cut.got.at(-1)!.id).lost, false);
        }
        assert.equal(stays.hub.skipped(), 0);
      },
    );

    test('an event that is sent to two servers is taken once, where keys are known', async (t) => {
      const { members } = await cluster(t, kind, 3);
      const publisher = createPublisher();
      const [first, again] = await Promise.all([0, 1].map((i) => publisher.send(members[i]!, 'a', 4)));
      const late = await publisher.send(members[2]!, 'a', 4);
      assert.deepEqual([first!.seq, again!.seq, late.seq], [4, 4, 4]);
      if (dedupes) assert.deepEqual([again!.id, late.id], [first!.id, first!.id]);
      const unnumbered = await Promise.all(
        [0, 1].map((i) => members[i]!.hub.publish('b', '1', {}, { key: 'mine' })),
      );
      if (dedupes) assert.deepEqual(unnumbered[1], unnumbered[0]);
      await until('all have it', () => members.every(({ got }) => got.length === (dedupes ? 2 : 5)));
    });

    whereItComesBack(
      'a broker that is killed and comes back: refused meanwhile, and then on as before',
      async (t) => {
        const { broker, members } = await cluster(t, kind, 2);
        const publisher = createPublisher();
        for (let i = 0; i < 4; i++) await publisher.publish(members[i % 2]!, 'a');
        await agree(members, 4, order);
        const before = members[0]!.hub.cursor();
        await broker.kill();
        for (const member of members) await assert.rejects(publisher.send(member, 'a', 5), isRefusal);
        await broker.restart();
        for (let i = 0; i < 6; i++) await publisher.insist(members, 'a');
        await goOn(members, publisher, 'a', keeps);
        if (keeps) await agree(members, 10, order);
        if (!order) return;
        for (const { hub, got } of members)
          assert.deepEqual(hub.since(topics, before), { events: got.slice(4), lost: hub.skipped() > 0 });
        if (keeps) assert.equal(members.map(({ hub }) => hub.skipped()).join(), '0,0');
      },
    );

    test('a broker that is frozen: refused in time, nothing lost or doubled', async (t) => {
      const { broker, members } = await cluster(t, kind, 2);
      const publisher = createPublisher();
      await publisher.publish(members[0]!, 'a');
      await agree(members, 1, order);
      broker.freeze();
      await sleep(50); // what was on its way has come
      const fromMs = performance.now();
      const insisted = Array.from({ length: 5 }, () => publisher.insist(members, 'a'));
      await assert.rejects(members[0]!.hub.publish('b', '1', { seq: 1 }, { key: 'b-1' }), isRefusal);
      assert.ok(performance.now() - fromMs < 20_000);
      await sleep(500);
      broker.thaw();
      await Promise.all(insisted);
      const have = ({ got }: Member) => new Set(got.map(told).filter((text) => text.startsWith('a'))).size;
      await until('all are there', () => members.every((member) => have(member) === 6));
      if (!dedupes) return;
      await sleep(100); // a duplicate would come now
      for (const { got } of members) assert.equal(got.filter(({ topic }) => topic === 'a').length, 6);
    });

    whereItComesBack(
      'a broker that comes back empty: a new epoch, and the publisher counts on',
      async (t) => {
        const { broker, members } = await cluster(t, kind, 2);
        const publisher = createPublisher();
        for (let i = 0; i < 4; i++) await publisher.publish(members[i % 2]!, 'a');
        await agree(members, 4, order);
        const before = members.map(({ hub }) => hub.cursor());
        await broker.kill();
        await broker.restart({ empty: true });
        const placed = [];
        for (let i = 0; i < 4; i++) placed.push(await publisher.insist(members, 'a'));
        assert.deepEqual(
          placed.map(({ seq }) => seq),
          [5, 6, 7, 8],
        );
        await goOn(members, publisher, 'a', keeps);
        for (const { hub } of members)
          for (const cursor of before) assert.equal(hub.since(topics, cursor).lost, true);
        if (!order) return;
        const [one, other] = members as [Member, Member];
        assert.equal(one.hub.epoch, other.hub.epoch);
        assert.notEqual(before[0]!.split('-')[0], one.hub.epoch);
        assert.equal(one.hub.since(topics, placed[3]!.id).lost, false);
        if (keeps) assert.deepEqual(one.got.map(told), other.got.map(told));
      },
    );

    test('many events at once: all confirmed, in the order of one publisher', async (t) => {
      const { members } = await cluster(t, kind, 2);
      const publisher = createPublisher();
      // The stand-in for Kafka takes as long for 3,000 as an answer may take.
      const many = kind === 'kafka' ? 1000 : 3000;
      const places = await Promise.all(
        Array.from({ length: many }, () => publisher.publish(members[0]!, 'a')),
      );
      assert.equal(new Set(places.map(({ id }) => id)).size, many);
      await agree(members, many, order);
      for (const { got } of members)
        assert.deepEqual(
          got.map(({ seq }) => seq),
          got.map((_, i) => i + 1),
        );
    });

    test('without a broker a server does not start, and says what to do', async (t) => {
      skipWhen(t, brokerKinds[kind].absent);
      const scheme = kind.startsWith('redis') ? 'redis' : kind === 'kafka' ? 'kafka' : 'nats';
      const url = `${scheme}://127.0.0.1:1`;
      await assert.rejects(
        connectBroker(accessTo(kind, { url }), defaultLimits),
        (error: unknown) =>
          error instanceof UserError &&
          /127\.0\.0\.1:1 .*(start it)/.test(error.message) &&
          error.exitCode === 3,
      );
    });

    test.for(['there', 'frozen', 'away'] as const)(
      'closing leaves nothing behind, the broker is %s',
      async (state, t) => {
        skipWhen(t, brokerKinds[kind].absent);
        const broker = await brokerKinds[kind].start();
        t.onTestFinished(broker.stop);
        const child = spawn(
          process.execPath,
          [path(import.meta.dirname, 'closing.ts'), JSON.stringify(accessTo(kind, broker))],
          { stdio: ['pipe', 'pipe', 'inherit'] },
        );
        t.onTestFinished(() => void child.kill('SIGKILL'));
        const exited = once(child, 'exit');
        await once(child.stdout, 'data'); // it has published
        if (state === 'frozen') broker.freeze();
        if (state === 'away') await broker.kill();
        child.stdin.end();
        const [code] = (await Promise.race([exited, sleep(15_000, ['still there'])])) as [unknown];
        assert.equal(code, 0);
      },
    );
  });
}
