// Makes a target ready to be spoken to: whole URLs, with the environment's values filled in. The outcome
// holds secrets, so it goes to the load processes and nowhere else, and no message, result or report may
// show it.

import { addressOf } from '../base/address.ts';
import { UserError } from '../base/errors.ts';
import { shortestSecret, type Secret } from '../secrets/redact.ts';
import type { TargetCursor } from '../pattern/target-entry.ts';
import { originOf, type Target } from './target.ts';

/** One way to subscribe. URLs are templates: {topic} and {topics} are still to be filled in. */
export type TargetSubscribe = {
  url: string;
  headers: Record<string, string>;
  /** Polling and long polling. */
  cursor: TargetCursor;
  untilEmpty: boolean;
  /** WebSocket. */
  protocol?: string;
  send: string[];
};

export type TargetAccess = {
  name: string;
  /** Marks the events of one trial; the harness gives each its own. */
  run: string;
  topics: Target['topics'];
  publish: { url: string; method: string; headers: Record<string, string>; body: string };
  /** By pattern; what the file does not describe is not there. */
  subscribe: Readonly<Record<string, TargetSubscribe>>;
  /** PEM. */
  ca?: string;
  /**
   * Values from the environment, and what each is shown as. They are taken out of all text that the target
   * sends and of all messages about it.
   */
  secrets: Secret[];
  /** Variables whose values are too short to be taken out. */
  tooShort: string[];
};

const variable = /\$\{([A-Za-z_]\w*)\}/g;
const basic = /^basic +([A-Za-z0-9+/_-]+)=*$/i;

/**
 * Fills in the environment's values.
 * @param file what to call the target file in messages
 * @param readText of a file named in the target file
 * @throws UserError `target-environment` naming every variable that is missing, `target-ca`
 */
export function accessOf(
  target: Target,
  file: string,
  env: Readonly<Record<string, string | undefined>>,
  readText: (path: string) => string,
): Omit<TargetAccess, 'run'> {
  const missing = new Map<string, string>();
  const broken = new Set<string>();
  const used = new Map<string, string>();
  const credentials: Secret[] = [];

  const withEnv = (text: string, place: string, write = (value: string) => value) =>
    text.replace(variable, (_, name: string) => {
      const value = env[name];
      if (value === undefined || value === '') missing.set(name, place);
      else if (/[\r\n\0]/.test(value)) broken.add(name);
      else used.set(name, value);
      return write(value ?? '');
    });
  const headersOf = (headers: Record<string, string>, place: string) =>
    Object.fromEntries(
      Object.entries(headers).map(([name, template]) => {
        const value = withEnv(template, `${place}.${name}`);
        const from = [...template.matchAll(variable)][0]?.[1];
        if (from !== undefined) credentials.push(...credentialsIn(value, from));
        return [name.toLowerCase(), value];
      }),
    );
  const shared = headersOf(target.headers, 'headers');
  const urlOf = (where: string, place: string) => {
    // A value is one part of a path or query, whatever is in it.
    const filled = withEnv(where, place, encodeURIComponent);
    return (filled.startsWith('/') ? target.url.replace(/\/$/, '') + filled : filled).replace(/^ws/, 'http');
  };

  const subscribe: Record<string, TargetSubscribe> = {};
  for (const [pattern, given] of Object.entries(target.subscribe)) {
    if (!given) continue;
    const place = `subscribe.${pattern}`;
    subscribe[pattern] = {
      url: urlOf(given.url, place),
      headers: { ...shared, ...headersOf(given.headers, `${place}.headers`) },
      cursor: given.cursor ?? 'none',
      untilEmpty: given.untilEmpty ?? false,
      ...(given.protocol !== undefined && { protocol: given.protocol }),
      send: (given.send ?? []).map((message) => withEnv(message, `${place}.send`)),
    };
  }
  const { publish } = target;
  const access = {
    name: target.name,
    topics: target.topics,
    publish: {
      url: urlOf(publish.url, 'publish'),
      method: publish.method,
      headers: { ...shared, ...headersOf(publish.headers, 'publish.headers'), 'content-type': publish.type },
      body: withEnv(publish.body, 'publish.body'),
    },
    subscribe,
  };
  if (missing.size > 0) {
    const list = [...missing].map(([name, place]) => `${name} (for ${place})`).join(', ');
    throw new UserError(
      'target-environment',
      `The target file ${file} asks the environment for ${list}, which ` +
        `${missing.size === 1 ? 'is' : 'are'} not set. Set ${missing.size === 1 ? 'it' : 'them'} before ` +
        `the run, such as: export ${[...missing.keys()][0]}=...`,
    );
  }
  if (broken.size > 0)
    throw new UserError(
      'target-environment',
      `The target file ${file} uses ${[...broken].join(', ')} from the environment, which holds a line ` +
        'break; a header or URL is one line.',
    );
  const values = [...[...used].map(([name, value]) => ({ name, value })), ...credentials];
  const isLong = ({ value }: Secret) => value.trim().length >= shortestSecret;
  const tooShort = [...used.keys()].filter((name) => !isLong({ name, value: used.get(name)! }));
  const ca = target.tls && authority(target.tls.ca, file, readText);
  return { ...access, secrets: values.filter(isLong), tooShort, ...(ca !== undefined && { ca }) };
}

function authority(path: string, file: string, readText: (path: string) => string): string {
  const pem = readText(path);
  if (!pem.includes('-----BEGIN CERTIFICATE-----'))
    throw new UserError(
      'target-ca',
      `${path}, which tls.ca in ${file} names, holds no certificate ` +
        'in PEM form (-----BEGIN CERTIFICATE-----).',
    );
  return pem;
}

/** Name and password of Basic credentials (RFC 7617): a target that decodes them may repeat them. */
function credentialsIn(header: string, name: string): Secret[] {
  const encoded = basic.exec(header)?.[1];
  if (encoded === undefined) return [];
  const pair = Buffer.from(encoded, 'base64').toString();
  return [pair, pair.slice(pair.indexOf(':') + 1)].map((value) => ({ name, value }));
}

/** What to tell the user of variables whose values cannot be kept out of what is printed. */
export function notesOn({ tooShort }: Pick<TargetAccess, 'tooShort'>, file: string): string[] {
  const why =
    `has fewer than ${shortestSecret} characters, so it is not ` +
    'treated as a secret: it may occur in any text';
  return tooShort.map((name) => `${file}: the value of ${name} ${why}.`);
}

/**
 * Every host that a target file names, as `HOST:PORT` with whether it speaks TLS;
 * nothing else is ever contacted.
 */
export function hostsOf(target: Target): { host: string; port: number; secure: boolean }[] {
  const places = [
    target.publish.url,
    ...Object.values(target.subscribe).flatMap((given) => given?.url ?? []),
  ];
  const urls = places.map((where) => originOf(target.url, where));
  const hosts = urls.map((url) => {
    const secure = url.protocol === 'https:' || url.protocol === 'wss:';
    return { ...addressOf(url), secure };
  });
  return [...new Map(hosts.map((host) => [JSON.stringify(host), host])).values()];
}
