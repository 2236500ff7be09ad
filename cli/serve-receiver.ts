// Starts the receiver of `pushbench serve webhook --receiver`: on a port of its own, registered with the
// server like any other, with a page and curl lines that make it fail.

import { UserError } from '../core/base/errors.ts';
import { hostOf } from '../core/http/access.ts';
import { offered, wellBehaved } from '../receiver/inspector/conduct.ts';
import { startInspector, type Inspector, type InspectorOptions } from '../receiver/inspector/inspector.ts';
import { isSchemeName } from '../receiver/inspector/secrets.ts';
import type { RunningServer } from '../servers/start.ts';
import { print } from './print.ts';

export type ServeReceiver = { close(): Promise<void> };

const removeWithinMs = 1000;

/**
 * Starts it, registers it and prints where it is.
 * @param port that the server was asked for; the receiver takes the next two where they are free
 * @param topics separated by commas; `news` when none are named
 * @throws UserError when the server does not take the registration
 */
export async function startServeReceiver(
  server: Pick<RunningServer, 'endpoint' | 'page'>,
  { scheme }: Readonly<Record<string, unknown>>,
  port: number,
  topics: string | true,
): Promise<ServeReceiver> {
  const events = (topics === true ? 'news' : topics).split(',').map((topic) => topic.trim());
  const inspector = await startNear(port, {
    host: '127.0.0.1',
    allowHosts: [],
    secrets: [],
    conduct: wellBehaved,
    isStrict: true,
  });
  const api = apiOf(server);
  try {
    const { id, secret } = await register(api, `${inspector.url}/hook`, events);
    inspector.useSecrets([secret], typeof scheme === 'string' && isSchemeName(scheme) ? scheme : undefined);
    print(lines(inspector, server.endpoint.publishUrl, id, events));
    return {
      async close() {
        // A server that keeps its endpoints in a file would call an address where nobody is any more.
        await api('DELETE', `/webhooks/${id}`).catch(() => undefined);
        await inspector.close();
      },
    };
  } catch (error) {
    await inspector.close();
    throw error;
  }
}

/** On the ports behind the server's, or on any that are free. */
async function startNear(
  port: number,
  options: Omit<InspectorOptions, 'port' | 'pagePort'>,
): Promise<Inspector> {
  const anywhere = () => startInspector({ ...options, port: 0, pagePort: 0 });
  if (port === 0 || port > 65_533) return anywhere();
  return startInspector({ ...options, port: port + 1, pagePort: port + 2 }).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return anywhere();
    throw error;
  });
}

type Api = (method: string, path: string, body?: object) => Promise<Response>;

/** The server's own API, as a program on this machine uses it; with its token where it needs one. */
function apiOf({ endpoint, page }: Pick<RunningServer, 'endpoint' | 'page'>): Api {
  const token = page && new URL(page).searchParams.get('token');
  const url = new URL(endpoint.url);
  // What listens on all addresses is called by one of them.
  if (url.hostname === '0.0.0.0') url.hostname = '127.0.0.1';
  if (hostOf(url.host) === '::') url.hostname = '[::1]';
  return (method, path, body) =>
    fetch(new URL(path, url), {
      method,
      ...(body && { body: JSON.stringify(body) }),
      ...(token && { headers: { authorization: `Bearer ${token}` } }),
      signal: AbortSignal.timeout(method === 'DELETE' ? removeWithinMs : 10_000),
    });
}

/** @throws UserError in the server's own words */
async function register(
  api: Api,
  url: string,
  events: readonly string[],
): Promise<{ id: string; secret: string }> {
  const response = await api('POST', '/webhooks', { url, events });
  const answer: unknown = await response.json();
  if (typeof answer === 'object' && answer !== null) {
    if (
      'id' in answer &&
      'secret' in answer &&
      typeof answer.id === 'string' &&
      typeof answer.secret === 'string'
    )
      return { id: answer.id, secret: answer.secret };
    if ('message' in answer && typeof answer.message === 'string')
      throw new UserError('receiver', `The receiver at ${url} could not be registered: ${answer.message}.`);
  }
  throw new UserError(
    'receiver',
    `The receiver at ${url} could not be registered: status ${response.status}.`,
  );
}

function lines(
  { url, pageUrl }: Inspector,
  publishUrl: string,
  id: string,
  events: readonly string[],
): string {
  const knobs = offered.map(
    ({ what, conduct }) =>
      `# the receiver ${what}\ncurl -X PUT -d '${JSON.stringify(conduct)}' ${pageUrl}conduct\n`,
  );
  return (
    `Receiver: ${url}/hook, registered as ${id} for ${events.join(', ')}\nReceiver's page: ${pageUrl}\n\n` +
    `# publish an event to it\ncurl -d '{"headline":"it works"}' ${publishUrl}/topics/${events[0]}\n\n` +
    `${knobs.join('\n')}\n# what it got\ncurl ${pageUrl}exchanges\n`
  );
}
