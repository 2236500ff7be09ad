// Keeps the cookies of a client as browsers do (RFC 6265), as far as one server's sticky sessions need it:
// name and value go back with every request. Of the attributes only those that end a cookie are read.

/** The cookies of a client as they travel, `a=1; b=2`; '' for none. */
export type Cookies = string;

/** A client keeps no more than these, and no longer ones (RFC 6265, section 6.1, asks for 50 and 4096). */
export const mostCookies = 10;
export const longestCookie = 4096;

/** Between the values of Set-Cookie in a response's head: a comma may stand within one. */
export const setCookieSeparator = '\n';

/** @param setCookie the Set-Cookie fields of an answer; most have none. @returns what the client has then */
export function takeCookies(kept: Cookies, setCookie: string | undefined): Cookies {
  return setCookie === undefined ? kept : shared(withCookies(kept, setCookie));
}

function withCookies(kept: Cookies, setCookie: string): Cookies {
  const all = new Map(kept === '' ? [] : kept.split('; ').map((pair) => [nameOf(pair), pair]));
  for (const field of setCookie.split(setCookieSeparator)) {
    const [pair = '', ...attributes] = field.split(';').map((part) => part.trim());
    const name = nameOf(pair);
    if (name === '' || pair.length > longestCookie) continue;
    if (attributes.some(isOver)) all.delete(name);
    else if (all.has(name) || all.size < mostCookies) all.set(name, pair);
  }
  return [...all.values()].join('; ');
}

/** The name of `name=value`; '' where there is none. */
function nameOf(pair: string): string {
  return pair.slice(0, Math.max(0, pair.indexOf('='))).trimEnd();
}

/** Whether an attribute says that the cookie is to go. */
function isOver(attribute: string): boolean {
  const [, name = '', value = ''] = /^([^=]*)=(.*)$/.exec(attribute) ?? [];
  switch (name.trim().toLowerCase()) {
    case 'max-age':
      return /^\s*(?:-\d+|0+)\s*$/.test(value);
    case 'expires':
      return Date.parse(value.replaceAll('-', ' ')) <= Date.now();
    default:
      return false;
  }
}

/** The field of a request. */
export function cookieHeader(cookies: Cookies): Record<string, string> {
  return cookies === '' ? {} : { cookie: cookies };
}

// Thousands of subscribers have one of few cookies, so each is kept once. A text cut out of a head would
// keep the whole head.
const mostShared = 64;
const known = new Map<string, string>();

function shared(cookies: Cookies): Cookies {
  const found = known.get(cookies);
  if (found !== undefined) return found;
  const own = Buffer.from(cookies, 'latin1').toString('latin1');
  if (known.size < mostShared) known.set(own, own);
  return own;
}
