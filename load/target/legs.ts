// Makes subscribers of legs. A target may carry one topic a connection, so a subscriber may need several of
// them: each is a leg, which the pattern's code serves as it would a subscriber. What arrives is searched for
// events here too. Not how a leg is connected.

import { locate, newLocated } from '../../core/event/envelope.ts';
import { quoteBytes } from '../../core/secrets/redact.ts';
import type { TargetAccess, TargetSubscribe } from '../../core/target/access.ts';
import { fill, placeholdersIn } from '../../core/base/template.ts';
import type { LoadContext, RunningLoad } from '../pattern.ts';
import { findStamps } from './stamp.ts';

/** What a pattern of a target is given besides the context. */
export type TargetContext = {
  context: LoadContext;
  access: TargetAccess;
  /** Something worth knowing that is not a mistake. */
  note(code: string, message: string): void;
};

export type Legs = {
  /** Its subscribers are legs. */
  context: LoadContext;
  /** Path and query of a leg's request. */
  target(leg: number): string;
  /** Messages for a leg to send. */
  messages(leg: number): string[];
  /**
   * Hands on the events in bytes `from`..`to`.
   * @param isNew says of each whether it is to be handed on; all are when left out
   * @returns how many new ones there were, those of other subscribers included
   */
  deliver(
    leg: number,
    bytes: Buffer,
    from: number,
    to: number,
    atUs: number,
    isNew?: (bytes: Buffer, from: number, to: number) => boolean,
  ): number;
  /** Legs, driven as if they were subscribers. */
  forSubscribers(running: RunningLoad): RunningLoad;
};

const shownLength = 120;

export function createLegs(
  { context, access, note }: TargetContext,
  { url: template, send }: TargetSubscribe,
): Legs {
  const names = placeholdersIn(template);
  const perTopic = names.includes('topic');
  // Without its topics in the URL or a message a target sends everything to everybody.
  const broadcast = names.length === 0 && !send.some((message) => placeholdersIn(message).length > 0);
  const url = new URL(fill(template, { topic: 'x', topics: 'x' }));
  const path = template.slice(template.indexOf('/', template.indexOf('//') + 2));
  const marker = Buffer.from(`${access.run}-`);
  const width = perTopic ? context.topicsOf(0).length : 1; // all follow as many
  const up = new Map<number, number>();
  /** Subscribers of which a leg came back without saying from where, since it was lost. */
  const fresh = new Set<number>();
  const at = newLocated();
  let unstamped = false;
  let unshown = 0;

  const subscriberOf = (leg: number) => Math.floor(leg / width);
  const topicsOf = (leg: number) => {
    const topics = context.topicsOf(subscriberOf(leg));
    return perTopic ? [topics[leg % width]!] : topics;
  };
  const outside = (topic: string) => (access.topics === 'fresh' ? `${topic}.${access.run}` : topic);
  const wordsOf = (leg: number) => {
    const topics = topicsOf(leg).map(outside);
    return { topic: topics[0] ?? '', topics: topics.join(',') };
  };

  return {
    context: {
      ...context,
      endpoint: { ...context.endpoint, url: url.origin },
      topicsOf,
      sink: {
        ...context.sink,
        ready(leg, atUs, resumes) {
          const subscriber = subscriberOf(leg);
          const legs = (up.get(subscriber) ?? 0) + 1;
          up.set(subscriber, legs);
          if (!resumes) fresh.add(subscriber);
          if (legs === width) context.sink.ready(subscriber, atUs, !fresh.has(subscriber));
        },
        lost(leg, atUs, cause) {
          const subscriber = subscriberOf(leg);
          const legs = up.get(subscriber) ?? 0;
          up.set(subscriber, legs - 1);
          if (legs !== width) return;
          fresh.delete(subscriber);
          context.sink.lost(subscriber, atUs, cause);
        },
        reset: (leg) => context.sink.reset(subscriberOf(leg)),
        gone: (leg) => context.sink.gone(subscriberOf(leg)),
      },
    },
    target: (leg) => fill(path, wordsOf(leg)),
    messages: (leg) =>
      send.flatMap((message) => {
        if (!placeholdersIn(message).includes('topic')) return [fill(message, wordsOf(leg))];
        return topicsOf(leg).map((topic) => fill(message, { ...wordsOf(leg), topic: outside(topic) }));
      }),
    deliver(leg, bytes, from, to, atUs, isNew) {
      const subscriber = subscriberOf(leg);
      let old = 0;
      const found = findStamps(marker, bytes, from, to, (buffer, start, end) => {
        if (isNew && !isNew(buffer, start, end)) {
          old++;
          return;
        }
        if (broadcast && locate(buffer, start, end, at) && !topicsOf(leg).includes(at.topic)) return;
        if (context.sink.event(subscriber, buffer, start, end, atUs)) context.counters.events++;
        else context.sink.problem('malformed-event', 'an event came back damaged');
      });
      if (found === 0 && to > from && !unstamped) {
        unstamped = ++unshown >= 3;
        const quoted = JSON.stringify(quoteBytes(bytes, from, to, shownLength, access.secrets));
        note(
          'unstamped',
          `a message carried no event of ours: ${quoted}${to - from > shownLength ? '...' : ''}`,
        );
      }
      return found - old;
    },
    forSubscribers: (running) => ({
      open(subscriber) {
        for (let i = 0; i < width; i++) running.open(subscriber * width + i);
      },
      close: (graceMs) => running.close(graceMs),
    }),
  };
}
