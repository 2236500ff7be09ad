// Holds the subscribers on connections that stay open, from joining to goodbye, for http-stream, sse and
// websocket. A subscriber with a cursor gets the history first and then every event; delivery.ts decides
// what is sent to each. One timer serves all heartbeats, and one checks which subscribers read
// (unread-watch.ts): a subscriber that takes nothing for `unreadMs` although data waits is cut off. It knows
// no protocol: the pattern says how events are framed and how peers are cut off.

import { drawShare } from '../../core/base/random.ts';
import type { DrainCount, DrainPlan } from '../../core/policy/server/drain.ts';
import { goodbyeLimits, goodbyeSpreadMs } from '../../core/policy/server/goodbye.ts';
import type { HubEvent } from '../hub/event.ts';
import { currentState } from '../hub/hub.ts';
import { beginReplay } from '../hub/replay.ts';
import { RequestError } from '../http/request.ts';
import { letGo, type LettingGo } from '../http/let-go.ts';
import { sayGoodbye } from '../http/say-goodbye.ts';
import { createSharedTimer } from '../http/shared-timer.ts';
import { createUnreadWatch } from '../http/unread-watch.ts';
import type { PatternContext } from '../pattern.ts';
import { createDelivery } from './delivery.ts';
import type { Joining, Peers, Subscriber } from './subscriber.ts';

export type FanOut<Peer> = {
  size(): number;
  /**
   * Takes a subscriber until its outlet closes. Nothing has been written when it throws.
   * @throws RequestError 503 when there are too many
   * @throws TooManyTopics
   */
  join(joining: Joining<Peer>): Subscriber<Peer>;
  /** Ends a subscription because the subscriber does not keep up. */
  cutOff(subscriber: Subscriber<Peer>): void;
  /** Cuts this share of the connections without a goodbye. */
  disconnect(share: number): void;
  /**
   * Says goodbye to all subscribers, whose subscriptions end with that, and resolves when every outlet has
   * closed, those left over by force.
   * @param spreadMs differs from the policy's in tests alone
   */
  end(goodbye: (subscriber: Subscriber<Peer>) => void, spreadMs?: number): Promise<void>;
  /**
   * Says goodbye to one after the other, and goes on serving those whose time has not come. Resolves when all
   * who were there are gone. Who comes meanwhile is the pattern's to refuse.
   */
  drain(plan: DrainPlan, goodbye: (subscriber: Subscriber<Peer>) => void): Promise<DrainCount>;
  /** Ends all subscriptions in one turn, and goes on. Who does not go by itself is cut off soon after. */
  dropAll(goodbye: (subscriber: Subscriber<Peer>) => void): void;
};

export function createFanOut<Peer>(context: PatternContext, peers: Peers<Peer>): FanOut<Peer> {
  const { hub, limits, counters, random } = context;
  const members = new Set<Subscriber<Peer>>();
  const { deliver, replay, cutOff, retire } = createDelivery<Peer>(context, peers);
  const beats = createSharedTimer<Subscriber<Peer>>(peers.beatMs, peers.beat);
  const unread = createUnreadWatch<Subscriber<Peer>>((subscriber) => {
    if (peers.isOpen(subscriber)) cutOff(subscriber);
  });
  let emptied = () => {};
  let draining: LettingGo | undefined;

  // In a function of its own, so that what lives as long as the subscriber holds on to
  // nothing but the subscriber.
  function admit(subscriber: Subscriber<Peer>, topics: readonly string[], since: string | undefined): void {
    subscriber.unsubscribe = hub.subscribe(topics, deliver, subscriber, since);
    members.add(subscriber);
    beats.add(subscriber);
    unread.add(subscriber);
    subscriber.outlet.once('close', () => {
      retire(subscriber);
      members.delete(subscriber);
      beats.delete(subscriber);
      unread.delete(subscriber);
      draining?.gone();
      if (members.size === 0) emptied();
    });
  }

  /**
   * The place behind which everything comes. One that is cut off before the current state
   * came asks for it by this.
   */
  function beginningOf(since: string | undefined, first: HubEvent | undefined): string {
    if (since !== undefined && since !== currentState) return since;
    return since === currentState && first ? `${hub.epoch}-${first.offset - 1}` : hub.cursor();
  }

  /** Tells one whose subscription ends with that. */
  function part(subscriber: Subscriber<Peer>, goodbye: (subscriber: Subscriber<Peer>) => void): void {
    retire(subscriber);
    if (!subscriber.outlet.destroyed) goodbye(subscriber);
  }

  return {
    size: () => members.size,
    join({ peer, outlet, framing, topics, since, open }) {
      if (members.size >= limits.maxSubscribers) {
        throw new RequestError(
          503,
          'too-many-subscribers',
          `the server has ${limits.maxSubscribers} subscribers, which is the limit`,
        );
      }
      const fresh = { quiet: false, unanswered: 0, waited: 0, backlog: undefined, unsubscribe() {} };
      const subscriber: Subscriber<Peer> = { peer, outlet, framing, ...fresh };
      // Subscribed and asked for the history in one turn: nothing falls between the
      // two, and nothing into both.
      admit(subscriber, topics, since);
      const missed = since === undefined ? undefined : beginReplay(hub, topics, since);
      open(missed?.lost ? hub.beginning() : beginningOf(since, missed?.events[0]), missed?.lost ?? false);
      if (missed?.lost) counters.resets++;
      if (missed) replay(subscriber, missed.replay, missed.events);
      return subscriber;
    },
    cutOff,
    disconnect(share) {
      for (const { outlet } of drawShare(members, share, random)) outlet.destroy();
    },
    async end(goodbye, spreadMs = goodbyeSpreadMs) {
      beats.stop();
      unread.stop();
      draining?.stop();
      if (members.size === 0) return;
      const empty = new Promise<void>((resolve) => (emptied = resolve));
      const lastMs = sayGoodbye(members, (subscriber) => part(subscriber, goodbye), spreadMs);
      const cutAll = () => members.forEach(({ outlet }) => outlet.destroy());
      const timer = setTimeout(cutAll, lastMs + goodbyeLimits.streamsMs);
      await empty;
      clearTimeout(timer);
    },
    drain(plan, goodbye) {
      const lettingGo = (draining = letGo(plan, {
        members,
        due(subscriber) {
          lettingGo.told();
          part(subscriber, goodbye);
        },
        cut: ({ outlet }) => void outlet.destroy(),
      }));
      return lettingGo.done;
    },
    dropAll(goodbye) {
      const dropped = [...members];
      for (const subscriber of dropped) part(subscriber, goodbye);
      setTimeout(() => dropped.forEach(({ outlet }) => outlet.destroy()), goodbyeLimits.streamsMs).unref();
    },
  };
}
