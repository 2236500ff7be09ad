// Reads the head of an HTTP/1.1 response from its text (RFC 9112, sections 4 and 5): status line and header
// fields.

import { setCookieSeparator } from './cookies.ts';
import { ProtocolError } from './protocol-error.ts';

export type ResponseHead = {
  status: number;
  /** By lower-case name; fields that came several times are joined with a comma, Set-Cookie by lines. */
  headers: ReadonlyMap<string, string>;
  /** Whether the connection may carry another request after this response. */
  keepAlive: boolean;
};

// A server's answers often have the same head, to the second of their date, so the last one is kept.
let lastText = '';
let lastHead: ResponseHead | undefined;

/** @param text the status line and header lines, without the empty line. @throws ProtocolError `http-head` */
export function parseHead(text: string): ResponseHead {
  if (lastHead && text === lastText) return lastHead;
  lastHead = parseNewHead(text);
  lastText = text;
  return lastHead;
}

function parseNewHead(text: string): ResponseHead {
  // Some take a bare line feed for the end of a line and some do not (RFC 9112, section 2.2): two
  // readers would see two answers.
  if (strayPattern.test(text)) throw malformed('a bare CR or LF, or a NUL, in its head');
  const lines = text.split('\r\n');
  const status = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: |$)/.exec(lines[0]!);
  if (!status) throw new ProtocolError('http-head', 'the answer is not an HTTP/1 response');
  const headers = new Map<string, string>();
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i]!;
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    if (colon < 1 || !tokenPattern.test(name))
      throw new ProtocolError('http-head', 'the response has a malformed header line');
    const value = line.slice(colon + 1).trim();
    const earlier = headers.get(name);
    if (earlier === undefined) headers.set(name, value);
    else headers.set(name, earlier + (name === 'set-cookie' ? setCookieSeparator : ', ') + value);
  }
  checkFraming(headers, status[1] === '1');
  const connection = headers.get('connection')?.toLowerCase() ?? '';
  const keepAlive =
    status[1] === '1'
      ? !/(^|,)\s*close\s*(,|$)/.test(connection)
      : /(^|,)\s*keep-alive\s*(,|$)/.test(connection);
  return { status: Number(status[2]), headers, keepAlive };
}

const tokenPattern = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

const strayPattern = /\r(?!\n)|(?<!\r)\n|\0/;

/**
 * How long the body is must not be a matter of opinion, and we decode no transfer coding but `chunked` (RFC
 * 9112, sections 6.1 and 6.3).
 * @throws ProtocolError `http-head`
 */
function checkFraming(headers: ReadonlyMap<string, string>, is11: boolean): void {
  const codings = headers.get('transfer-encoding');
  if (codings === undefined) return;
  if (!is11) throw malformed('a transfer coding in HTTP/1.0');
  if (headers.has('content-length')) throw malformed('a content-length and a transfer coding');
  if (codings.toLowerCase() === 'chunked') return;
  throw malformed(`the transfer coding "${codings.slice(0, 60)}"; only chunked is understood`);
}

function malformed(what: string): ProtocolError {
  return new ProtocolError('http-head', `the response has ${what}`);
}

/**
 * The length that a Content-Length field gives, several times the same at most.
 * @throws ProtocolError `http-head`
 */
export function contentLength(text: string): number {
  const values = text.split(',').map((value) => value.trim());
  if (values.some((value) => value !== values[0] || !/^\d{1,15}$/.test(value))) {
    throw new ProtocolError('http-head', 'the response has a malformed content-length');
  }
  return Number(values[0]);
}
