// Finds what a scenario asks of its server that other parts of it make impossible: TLS where a variant is
// clear text by definition, tokens where nobody would bring them.

import type { PatternRegistry } from '../pattern/pattern.ts';
import { whyNot } from './server-fit.ts';
import type { Contradiction, Parts } from './valid-parts.ts';

const asked = ['tls', 'auth'] as const;
const called = { tls: 'TLS', auth: 'tokens' } as const;

export function* unfitServers(
  { single: { server, servers, closedLoop, browser }, variants }: Parts,
  { registry }: { registry: PatternRegistry },
): Generator<Contradiction> {
  for (const what of asked) {
    if (!server?.[what]) continue;
    for (const [i, { pattern, options, label }] of variants) {
      const message = whyNot(what, registry[pattern]!, options, label);
      if (message !== undefined)
        yield { path: ['variants', i], message: `${message}, so not server.${what}` };
    }
    if (closedLoop)
      yield {
        path: ['server', what],
        message: `a closed loop asks without ${called[what]}; leave out closedLoop or server.${what}`,
      };
    if (browser && browser.chromium.length > 0)
      yield {
        path: ['server', what],
        message:
          `pages in Chromium come without ${called[what]}; ` + `leave out browser.chromium or server.${what}`,
      };
  }
  if (server?.tls && servers?.inFront.kind === 'haproxy-sticky')
    yield {
      path: ['server', 'tls'],
      message:
        'sticky sessions are a cookie, which HAProxy cannot read in TLS that it passes on; use ' +
        'servers.in-front: haproxy',
    };
}
