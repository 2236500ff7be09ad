// The head of an HTTP/1.1 response as text (RFC 9112, sections 4 and 5): status line and header fields.

import { ProtocolError } from './protocol-error.ts';

export type ResponseHead = {
  status: number;
  /** By lower-case name; fields that came several times are joined with a comma. */
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
  const lines = text.split('\r\n');
  const status = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: |$)/.exec(lines[0]!);
  if (!status) throw new ProtocolError('http-head', 'the answer is not an HTTP/1 response');
  const headers = new Map<string, string>();
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i]!;
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    if (colon < 1 || !tokenPattern.test(name)) throw new ProtocolError('http-head', 'the response has a malformed header line');
    const value = line.slice(colon + 1).trim();
    const earlier = headers.get(name);
    headers.set(name, earlier === undefined ? value : `${earlier}, ${value}`);
  }
  const connection = headers.get('connection')?.toLowerCase() ?? '';
  const keepAlive = status[1] === '1' ? !/(^|,)\s*close\s*(,|$)/.test(connection) : /(^|,)\s*keep-alive\s*(,|$)/.test(connection);
  return { status: Number(status[2]), headers, keepAlive };
}

const tokenPattern = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

/** The length that a Content-Length field gives, several times the same at the most. @throws ProtocolError `http-head` */
export function contentLength(text: string): number {
  const values = text.split(',').map((value) => value.trim());
  if (values.some((value) => value !== values[0] || !/^\d{1,15}$/.test(value))) {
    throw new ProtocolError('http-head', 'the response has a malformed content-length');
  }
  return Number(values[0]);
}
