// Checks tokens in front of a pattern's routes and of its upgrade: a client without a valid token is refused
// here, and the pattern never sees its request. Publishing and the list of endpoints need no token here.

import type { Pattern } from '../../core/pattern/pattern.ts';
import { patterns } from '../../core/pattern/registry.ts';
import { createTokens } from '../../core/secrets/token.ts';
import type { Counters } from '../../core/result/counters.ts';
import type { AuthSetup } from '../../core/scenario/server-options.ts';
import { RequestError } from '../http/request.ts';
import type { Handler, Request, RunningPattern } from '../pattern.ts';
import { refuseHandshake } from '../streams/websocket-handshake.ts';
import { bearerOf, wrongToken } from './bearer.ts';
import { calibratedBurn } from './burn.ts';
import { boundLookups, NotLookedUp, type Lookup, type Lookups } from './lookups.ts';

export type Guard = {
  /** @param waits is told of requests whose token is being looked up */
  routes(routes: RunningPattern['routes'], waits?: RunningPattern['waits']): RunningPattern['routes'];
  upgrade(upgrade: NonNullable<RunningPattern['upgrade']>): NonNullable<RunningPattern['upgrade']>;
  /** Lets nobody in any more. */
  close(): void;
};

/** How long a lookup may take, its turn included. */
export const lookupWithinMs = 5000;

/** Requests of these paths are handshakes, which patterns count; those refused here are counted here. */
const streamPaths = new Set<string>(
  Object.values<Pattern>(patterns).flatMap(({ path, pageOpens }) => (pageOpens ? [path] : [])),
);

/** @throws UserError when the Redis of its lookups does not answer */
export async function createGuard(auth: AuthSetup, counters: Counters): Promise<Guard> {
  const { check } = createTokens(auth.seed);
  const burn = calibratedBurn(auth.takes);
  const { lookups, close } = await lookupsOf(auth);

  /** @returns a lookup to wait for, where there is one. @throws RequestError 401 */
  function begin(request: Request, url: URL): Lookup | undefined {
    counters.authChecks++;
    const token = bearerOf(request, url);
    burn(token);
    const name = check(token);
    if (name === undefined) throw wrongToken('this is not a token of this server');
    return lookups?.ask(name);
  }

  async function settle({ found }: Lookup): Promise<void> {
    const holds = await found.catch((error: unknown) => {
      // Redis is away or was late. Whether the token holds is not known, so it opens nothing.
      const { code, message } =
        error instanceof NotLookedUp
          ? error
          : { code: 'auth-away', message: 'where tokens are looked up, nothing answers' };
      throw new RequestError(503, code, message);
    });
    if (!holds) throw wrongToken('this token was revoked');
  }

  /** Counts a request that is refused. */
  function refused(error: unknown, { method }: Request, url: URL): void {
    if (!(error instanceof RequestError)) return;
    if (streamPaths.has(url.pathname) && method !== 'HEAD') counters.handshakes++;
    if (error.status === 401) counters.authRefused++;
  }

  return {
    routes: (routes, waits) => {
      const behind = (handler: Handler): Handler => {
        return (request, response, url) => {
          let lookup: Lookup | undefined;
          try {
            lookup = begin(request, url);
          } catch (error) {
            refused(error, request, url);
            throw error;
          }
          if (!lookup) return handler(request, response, url);
          waits?.(request, response);
          let gone = false;
          response.once('close', () => {
            gone = true;
            lookup.drop();
          });
          return settle(lookup).then(
            // The pattern subscribes and reads the history in one turn of its own, behind the check.
            () => (gone ? undefined : handler(request, response, url)),
            (error: unknown) => {
              if (gone) return;
              refused(error, request, url);
              throw error;
            },
          );
        };
      };
      return Object.fromEntries(Object.entries(routes).map(([key, handler]) => [key, behind(handler)]));
    },

    upgrade: (upgrade) => (request, socket, head, url, mayPublish) => {
      const refuse = (error: unknown) => {
        refused(error, request, url);
        if (!(error instanceof RequestError)) throw error;
        if (error.status === 503) counters.refusals++;
        else counters.errors++;
        refuseHandshake(socket, error);
      };
      let lookup: Lookup | undefined;
      try {
        lookup = begin(request, url);
      } catch (error) {
        return refuse(error);
      }
      if (!lookup) return upgrade(request, socket, head, url, mayPublish);
      socket.once('close', lookup.drop);
      void settle(lookup)
        .finally(() => socket.off('close', lookup.drop))
        .then(
          () => void (socket.destroyed || upgrade(request, socket, head, url, mayPublish)),
          (error: unknown) => void (socket.destroyed || refuse(error)),
        )
        .catch((error: unknown) => {
          counters.errors++;
          console.error(error); // a defect of ours must be seen
          socket.destroy();
        });
    },

    close,
  };
}

/** @throws UserError */
async function lookupsOf({ lookup, concurrency, queue }: AuthSetup): Promise<{
  lookups: Lookups | undefined;
  close(): void;
}> {
  if (!lookup) return { lookups: undefined, close() {} };
  const rules = { concurrency, queue, withinMs: lookupWithinMs };
  if (lookup.kind === 'wait') {
    const lookups = boundLookups(
      () => new Promise((resolve) => setTimeout(resolve, lookup.ms, true).unref()),
      rules,
    );
    return { lookups, close: lookups.close };
  }
  const { openRedisLookup } = await import('./redis-lookup.ts');
  const redis = await openRedisLookup(lookup.url, lookup.name, lookupWithinMs);
  const lookups = boundLookups(redis.look, rules);
  return {
    lookups,
    close() {
      lookups.close();
      redis.close();
    },
  };
}
