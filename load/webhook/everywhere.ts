// Waits after a registration until all servers know of it. Servers that share a store look there again and
// again, so the servers that did not take the registration learn of it a little later. A server that is asked
// for its endpoints looks first.

import { later, nowUs } from '../../core/base/clock.ts';
import { urlsOf } from '../wire/connection.ts';
import { createHttpClients, type Client } from '../wire/http-client.ts';
import { pathBelow } from '../wire/http-head.ts';
import type { LoadContext } from '../pattern.ts';

export type Everywhere = {
  /** Calls `done` when all servers know what `server` has just taken; at once where it is the only one. */
  add(server: number, done: Done, atUs: number): void;
  close(): void;
};

/** Between being told and asking: who is asked reads all that is new, so one question is for many. */
const gatherMs = 1000;

type Done = (atUs: number) => void;
type Server = { client: Client<Server>; url: URL };
type Registration = { server: number; done: Done };

export function createEverywhere(context: LoadContext): Everywhere {
  const urls = urlsOf(context.endpoint);
  if (urls.length === 1) return { add: (_, done, atUs) => done(atUs), close() {} };
  /** Registrations not asked about yet, and registrations that servers are being asked about. */
  let [waiting, asked]: [Registration[], Registration[]] = [[], []];
  let unanswered = 0;
  let allKnow = true;
  let stopWaiting: (() => void) | undefined;

  const clients = createHttpClients<Server>(
    { ...context, connects: undefined },
    {
      response: (server, { status }) => answered(server, status === 200),
      // One that is gone reads all that there is when it begins again.
      failed: (server) => answered(server, true),
    },
  );
  const all = urls.map((url, i) => {
    const server = { url } as Server; // the client needs its owner first
    server.client = clients.add(server, 0);
    server.client.server = i;
    return server;
  });

  function gather(): void {
    if (unanswered === 0) stopWaiting ??= later(gatherMs, ask);
  }

  function ask(): void {
    stopWaiting = undefined;
    [asked, waiting] = [[...asked, ...waiting], []];
    // The one that took them all need not be asked.
    const from = new Set(asked.map(({ server }) => server));
    const others = all.filter((_, i) => from.size > 1 || !from.has(i));
    [unanswered, allKnow] = [others.length, true];
    for (const { client, url } of others)
      clients.send(
        client,
        Buffer.from(`GET ${pathBelow(url, '/webhooks')}?limit=1 HTTP/1.1\r\nhost: ${url.host}\r\n\r\n`),
      );
  }

  function answered({ client }: Server, knows: boolean): void {
    clients.drop(client);
    if (!knows) allKnow = false;
    if (--unanswered > 0) return;
    if (allKnow) for (const { done } of asked.splice(0)) done(nowUs());
    if (asked.length + waiting.length > 0) gather();
  }

  return {
    add(server, done) {
      waiting.push({ server, done });
      gather();
    },
    close() {
      stopWaiting?.();
      for (const { client } of all) clients.drop(client);
      [waiting, asked] = [[], []];
    },
  };
}
