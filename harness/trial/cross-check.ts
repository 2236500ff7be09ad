// Compares what the two sides of a pattern counted: they count the same things.

import type { CounterName, Counters } from '../../core/result/counters.ts';
import type { Completed } from '../../core/result/result.ts';

type Check = Completed['checks'][number];

/** What both sides count over the whole trial, in people's words. */
const compared: readonly [name: string, server: (c: Counters) => number, client: (c: Counters) => number][] =
  [
    ['handshakes', (c) => c.handshakes, (c) => c.handshakes],
    ['full polls', (c) => c.fullPolls, (c) => c.fullPolls],
    ['empty polls', (c) => c.emptyPolls, (c) => c.emptyPolls],
    ['registrations', (c) => c.registrations, (c) => c.registrations],
    ['webhook requests', (c) => c.deliveryRequests + c.retries, (c) => c.deliveryRequests + c.retries],
    ['messages to the server', (c) => c.upstreamMessages, (c) => c.upstreamMessages],
    ['requests with a message', (c) => c.messageRequests, (c) => c.messageRequests],
    ['other requests', (c) => c.pageRequests, (c) => c.pageRequests],
    ['events', (c) => c.events, (c) => c.events],
    ['bytes to the subscribers', (c) => c.bytesOut, (c) => c.bytesIn],
    ['bytes from the subscribers', (c) => c.bytesIn, (c) => c.bytesOut],
  ];

/** Things that make one side count what the other never saw. */
const explaining: readonly [CounterName, string][] = [
  ['reconnects', 'connections were cut with data under way'],
  ['slowDisconnects', 'slow subscribers were cut off with data under way'],
  ['errors', 'there were errors, listed below'],
];

/**
 * Share of the holds that may end while subscribers leave: leaving takes about a tenth of a second, and
 * short holds end all the time.
 */
const unreadMost = 0.05;
/** An empty answer with its headers is smaller. */
const emptyAnswerBytes = 1024;

/**
 * Holds of long polls that ended in the moment in which their subscribers left: the server answered, and
 * nobody read it. A few, empty, and nothing but them.
 */
function endedOnLeaving(server: Counters, client: Counters, between: Between): boolean {
  const unread = server.emptyPolls - client.emptyPolls;
  const bytes = server.bytesOut - client.bytesIn;
  if (client.rearms === 0 || unread > 1 + server.emptyPolls * unreadMost) return false;
  return between === 'reads-requests' ? unread > 0 : bytes > 0 && bytes <= unread * emptyAnswerBytes;
}

/** Between the two sides: nothing that changes anything, or a proxy that writes each request again. */
export type Between = 'passes-bytes' | 'reads-requests';

/** What two sides with a proxy between them that reads requests do not count alike, and why. */
export const notCompared: ReadonlyMap<string, string> = new Map([
  ['bytes to the subscribers', 'HAProxy rewrites heads and chunks, and adds its cookie'],
  ['bytes from the subscribers', 'HAProxy rewrites heads of requests, and removes its cookie'],
]);

/**
 * Checks of everything that at least one side counted.
 * @param losses why what stands between the sides may have lost something on its way
 */
export function crossCheck(
  server: Counters,
  client: Counters,
  between: Between = 'passes-bytes',
  losses: readonly string[] = [],
): Check[] {
  const counted = explaining.filter(([name]) => server[name] + client[name] > 0).map(([, reason]) => reason);
  const reasons = [...losses, ...counted];
  const onLeaving = endedOnLeaving(server, client, between)
    ? ['empty polls', 'bytes to the subscribers']
    : [];
  return compared
    .filter(([name]) => between === 'passes-bytes' || !notCompared.has(name))
    .map(([name, ofServer, ofClient]) => ({ name, server: ofServer(server), client: ofClient(client) }))
    .filter((check) => check.server !== 0 || check.client !== 0)
    .map((check) => {
      const agree = check.server === check.client;
      return {
        ...check,
        agree,
        note: agree
          ? ''
          : [
              ...(onLeaving.includes(check.name) ? ['holds ended while their subscribers left'] : []),
              ...reasons,
            ].join('; '),
      };
    });
}
