// Starts small systems of somebody else's over HTTP, whose answers a test writes itself.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { TestContext } from 'vitest';
import { listen } from '../../load/context.ts';

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

/**
 * A system of one's own: publishing in `publish`, subscribing in `subscribe`, which
 * gets all open responses too.
 */
export async function startSystem(
  t: TestContext,
  publish: (body: string, response: ServerResponse, open: ReadonlySet<ServerResponse>) => void,
  subscribe?: Answer,
): Promise<string> {
  const open = new Set<ServerResponse>();
  return listen(
    t,
    createServer((request, response) => {
      let body = '';
      request
        .setEncoding('utf8')
        .on('data', (text: string) => (body += text))
        .on('end', () => {
          if (request.method !== 'GET') publish(body, response, open);
          else if (subscribe) subscribe(request, response, body);
          else {
            open.add(response.writeHead(200, { 'content-type': 'text/event-stream' }));
            response.flushHeaders();
            response.on('close', () => open.delete(response));
          }
        });
    }),
  );
}

/** The target file of such a system. */
export const plainTarget = (url: string, more = '') =>
  `name: feed\nurl: ${url}\npublish: /p/{topic}\nsubscribe:\n  sse: /s\n${more}`;
/** Sends an event to everybody. */
export const sendAll = (open: ReadonlySet<ServerResponse>, data: string) => {
  for (const one of open) one.write(`data: ${data}\n\n`);
};
