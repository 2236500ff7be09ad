// Finds the handler of a request and answers what none can serve: 400, 404, 405, and what handlers throw.
// HEAD has the handler of GET, and OPTIONS tells what a path takes (RFC 9110, section 9.3). The same for
// HTTP/1.1 and HTTP/2; sockets are listen.ts.

import type { Counters } from '../../core/result/counters.ts';
import { hasTurn, turnOf } from '../../core/http/unread.ts';
import { TooManyTopics } from '../hub/hub.ts';
import type { Handler, Request, Response } from '../pattern.ts';
import { answerError, answerFull, endWith, RequestError } from './request.ts';

/** Keyed `METHOD /path`. The path is matched whole; a star is any one segment. */
export type Routes = Readonly<Record<string, Handler>>;

/**
 * @param counters where `errors` and `refusals` of requests that a handler did not serve are counted
 * @returns answers one request; never throws
 */
export function createRouter(
  routes: Routes,
  counters: Counters,
): (request: Request, response: Response) => void {
  const paths = new Map<string, Map<string, Handler>>();
  for (const [key, handler] of Object.entries(routes)) {
    const [method, path] = key.split(' ') as [string, string];
    const methods = paths.get(path) ?? new Map<string, Handler>();
    paths.set(path, methods.set(method, handler));
  }

  // Those with a star before their end; the others are found by their text.
  const starred = [...paths].flatMap(([path, methods]) =>
    /\*./.test(path) ? [[new RegExp(`^${path.replaceAll('*', '[^/]+')}$`), methods] as const] : [],
  );

  function find(url: URL, method: string): Handler {
    const path = url.pathname;
    const methods =
      paths.get(path) ??
      paths.get(path.replace(/[^/]+$/, '*')) ??
      starred.find(([pattern]) => pattern.test(path))?.[1];
    if (!methods)
      throw new RequestError(
        404,
        'not-found',
        `there is nothing at ${path.slice(0, 100)}; GET / lists what there is`,
      );
    const handler = methods.get(method === 'HEAD' ? 'GET' : method);
    if (handler) return handler;
    const allow = allowed(methods.keys());
    if (method === 'OPTIONS') return (_request, response) => endWith(response, 204, { allow });
    throw new RequestError(405, 'method', `this path takes ${allow}`, { allow });
  }

  function fail(error: unknown, response: Response): void {
    if (error instanceof TooManyTopics) {
      counters.refusals++;
      answerFull(response, error.code, error.message);
    } else if (error instanceof RequestError) {
      if (error.status === 413 || error.status === 503) counters.refusals++;
      else counters.errors++;
      if (error.status === 503) answerFull(response, error.code, error.message, error.headers);
      else answerError(response, error.status, error.code, error.message, error.headers);
    } else {
      // A defect of ours: one request must not take the others down, but it must be seen.
      counters.errors++;
      console.error(error);
      answerError(
        response,
        500,
        'internal',
        'the server failed at this request; its standard error says how',
      );
      if (!response.writableEnded) response.destroy();
    }
  }

  function handle(request: Request, response: Response): void {
    try {
      // Asks about the server, not about one path.
      if (request.url === '*' && request.method === 'OPTIONS') return endWith(response, 204, {});
      const url = parseUrl(request.url);
      const done = find(url, request.method ?? '')(request, response, url);
      if (done) done.catch((error: unknown) => fail(error, response));
    } catch (error) {
      fail(error, response);
    }
  }

  return (request, response) => {
    // What is asked for one behind another is answered one after another, each when the answer before it has
    // left: a client which asks a thousand times and reads nothing is made one answer. Publishers do not wait
    // for their answers, which are short: Node stops reading a connection on which those pile up.
    if ('stream' in response || request.method === 'POST' || hasTurn(response))
      return handle(request, response);
    void turnOf(response).then((has) => {
      if (has) handle(request, response);
    });
  };
}

/** What a path takes, as `Allow` says it. */
function allowed(methods: Iterable<string>): string {
  const all = [...methods].flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
  return [...all, 'OPTIONS'].join(', ');
}

/** @throws RequestError 400 when the request's target is not a URL */
export function parseUrl(target: string | undefined): URL {
  // Put behind an origin rather than resolved against one: `//a/b` is a path here, not another host.
  const url = target?.startsWith('/') ? URL.parse(`http://localhost${target}`) : null;
  if (!url) throw new RequestError(400, 'bad-target', 'the request names no path');
  return url;
}
