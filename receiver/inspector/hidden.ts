// Hides what a request holds in confidence, before anything of it is kept, printed or shown: credentials in
// headers and addresses, and the secrets that this receiver was given, wherever they stand.

import { quote, shortestSecret, type Secret } from '../../core/secrets/redact.ts';

/** Names of credentials end like this. Signatures are none: they prove, and open nothing. */
const credential =
  /(?:^|[-_.])(?:authorization|cookie|passw(?:or)?d|pwd|secret|token|credentials?|(?:api|access)?key)$/i;

export type Hide = {
  header(name: string, value: string): string;
  path(url: string): string;
  /** Text of a body, cut to `most` characters. */
  text(text: string, most: number): string;
};

export function createHide(secrets: readonly string[]): Hide {
  const known: Secret[] = [...new Set(secrets)]
    .filter((value) => value.length >= shortestSecret)
    .map((value) => ({ name: 'SECRET', value }));
  const text = (given: string, most: number) => quote(given, most, known);
  return {
    text,
    header(name, value) {
      if (name.toLowerCase() === 'idempotency-key' || !credential.test(name))
        return text(value, value.length);
      const [, scheme = ''] = /^(\w+ )\S/.exec(value) ?? [];
      return `${/^(?:basic|bearer|digest|token) $/i.test(scheme) ? scheme : ''}(hidden)`;
    },
    path(url) {
      const at = url.indexOf('?');
      if (at < 0) return text(url, url.length);
      const pairs = url
        .slice(at + 1)
        .split('&')
        .map((pair) => {
          const name = pair.split('=', 1)[0]!;
          return pair.length > name.length && credential.test(decoded(name)) ? `${name}=(hidden)` : pair;
        });
      const whole = `${url.slice(0, at)}?${pairs.join('&')}`;
      return text(whole, whole.length);
    },
  };
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
