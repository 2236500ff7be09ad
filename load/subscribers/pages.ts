// Sends the other requests of browsers, besides the streams of their pages, which are the subscribers. A
// browser has a few HTTP/1.1 connections to a host (six, by common practice), and each stream takes one for
// itself. All other requests wait in line for the remaining ones. Over HTTP/2 they go beside the streams on
// the one connection. Requests are planned before the run (open model) at a steady rate, each browser with a
// phase of its own.

import { nowUs } from '../../core/base/clock.ts';
import type { LoadClosed, LoadCommand, Window } from '../../core/protocol/control.ts';
import { newHistogram, record, toSparse } from '../../core/result/histogram.ts';
import { random } from '../../core/base/random.ts';
import { chooseServer } from '../../core/policy/client/choose-server.ts';
import { urlsOf } from '../wire/connection.ts';
import { createHttpClients, type Client } from '../wire/http-client.ts';
import { encodeRequest, pathBelow } from '../wire/http-head.ts';
import type { LoadContext, RunningLoad } from '../pattern.ts';

type Start = Extract<LoadCommand, { kind: 'start' }>;

export type Pages = {
  /** Asks for the server's small index from the warm-up to the end of the measured phase. */
  begin(window: Window): void;
  /** What has had no answer by now stays without one. */
  close(): NonNullable<LoadClosed['pages']>;
};

/** A browser's free connections, and the planned times of the requests that wait for one. */
type Browser = { firstPage: number; idle: Client<Link>[]; waiting: number[]; nextUs: number };
type Link = { browser: Browser; client: Client<Link>; plannedUs: number };

/**
 * Requests that wait in one browser at most; later ones are counted and not kept, as
 * nothing will answer them.
 */
const mostWaiting = 1000;
const stepMs = 2;

export function createPages(
  { first, count, seed }: Pick<Start, 'first' | 'count' | 'seed'>,
  { tabs, perS, free }: NonNullable<Start['browser']>,
  context: LoadContext,
  running: RunningLoad,
): Pages {
  const { counters, sink } = context;
  const urls = urlsOf(context.endpoint);
  const path = pathBelow(urls[0]!, '/'); // there is one at least
  const requests = urls.map((url) => encodeRequest(url, path, {}));
  const everyUs = 1e6 / perS;
  const latency = newHistogram();
  const next = random(seed, `pages:${first}`);
  const all: Client<Link>[] = [];
  let planned = 0;
  let window: Window | undefined;
  let timer: NodeJS.Timeout | undefined;

  // No events come on these connections.
  const withoutLog = { ...context, connects: undefined };
  const clients = createHttpClients<Link>(withoutLog, {
    response({ browser, client, plannedUs }, { status }, _bytes, _from, _to, atUs) {
      answered(plannedUs, status, atUs);
      browser.idle.push(client);
      askWaiting(browser);
    },
    failed({ browser, client }) {
      browser.idle.push(client);
    },
  });
  const browsers = Array.from(
    { length: Math.ceil((first + count) / tabs) - Math.ceil(first / tabs) },
    (_, i) => {
      const browser: Browser = {
        firstPage: (Math.ceil(first / tabs) + i) * tabs,
        idle: [],
        waiting: [],
        nextUs: 0,
      };
      for (let n = 0; n < (free ?? 0); n++) {
        const link = { browser, plannedUs: 0 } as Link; // the client needs its owner first
        link.client = clients.add(link, browser.firstPage);
        link.client.server = chooseServer(browser.firstPage, 0, urls.length);
        browser.idle.push(link.client);
        all.push(link.client);
      }
      return browser;
    },
  );

  function answered(plannedUs: number, status: number, atUs: number): void {
    counters.pageRequests++;
    if (status !== 200)
      sink.problem('page-status', `a browser's other request was answered with status ${status}`);
    else if (window && plannedUs >= window.fromUs) record(latency, atUs - plannedUs);
  }

  function ask(browser: Browser, plannedUs: number): void {
    if (window && plannedUs >= window.fromUs) planned++;
    if (free === undefined) {
      running.get?.(browser.firstPage, path, (status, atUs) => answered(plannedUs, status, atUs));
    } else if (browser.waiting.length < mostWaiting) {
      browser.waiting.push(plannedUs);
      askWaiting(browser);
    }
  }

  function askWaiting(browser: Browser): void {
    while (browser.waiting.length > 0) {
      const client = browser.idle.pop();
      if (!client) return;
      client.owner.plannedUs = browser.waiting.shift()!;
      clients.send(client, requests[client.server]!); // one for each server
    }
  }

  return {
    begin(given) {
      window = given;
      for (const browser of browsers) browser.nextUs = given.warmupFromUs + next() * everyUs;
      timer = setInterval(() => {
        const untilUs = Math.min(nowUs(), given.toUs);
        for (const browser of browsers) {
          for (; browser.nextUs < untilUs; browser.nextUs += everyUs) ask(browser, browser.nextUs);
        }
        if (untilUs === given.toUs) clearInterval(timer);
      }, stepMs);
    },
    close() {
      clearInterval(timer);
      for (const client of all) clients.drop(client);
      return { planned, latency: toSparse(latency) };
    },
  };
}
