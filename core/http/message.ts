// Holds a request that Node has parsed against the rest of RFC 9112: target, Host, framing. What Node's
// parser refuses by itself (two lengths, a length and chunks, bare line feeds, fields in the wrong form)
// never gets here. Every HTTP/1.1 listener of ours asks this first, and sets Node's own check of Host aside
// (`requireHostHeader`), behind which Node goes on to the next request on the connection. Whether the Host is
// one of the listener's is another question.

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** Why a message cannot be served. Answer with the status and close the connection. */
export type MessageFault = { status: 400 | 501 | 505; code: string; message: string };

/**
 * What is wrong with an HTTP/1.1 request, if anything (RFC 9112, sections 2.3, 3.2 and 6.1). A target in
 * absolute form becomes one in origin form: `request.url` is its path, `request.headers.host` its authority,
 * which counts more than the Host field (section 3.2.2). Behind a faulty message on a connection all others
 * are faulty: they may be parts of it that were made to look like messages.
 */
export function messageFault(request: IncomingMessage): MessageFault | undefined {
  const fault = refused.get(request.socket) ?? faultOf(request);
  if (fault) refused.set(request.socket, fault);
  return fault;
}

/**
 * Connections with a faulty message, which gets the last answer (RFC 9112, section 9.6): what came behind it
 * has the same fault.
 */
const refused = new WeakMap<Socket, MessageFault>();

function faultOf(request: IncomingMessage): MessageFault | undefined {
  // llhttp takes 0.9 and 2.0 in this form, too.
  if (request.httpVersionMajor !== 1)
    return { status: 505, code: 'version', message: 'this server speaks HTTP/1.1' };
  const { rawHeaders } = request;
  let hosts = 0;
  let coded = false;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    if (name.length === 4 && name.toLowerCase() === 'host') {
      hosts++;
      if (!isHost(rawHeaders[i + 1]!)) return badHost('the Host field is not a host with an optional port');
    } else if (name.length === 17 && name.toLowerCase() === 'transfer-encoding') {
      coded = true;
    }
  }
  if (hosts > 1) return badHost('the request has more than one Host field');
  if (hosts === 0 && request.httpVersionMinor > 0) return badHost('the request has no Host field');
  return targetFault(request) ?? (coded ? codingFault(request) : undefined);
}

/**
 * A request over HTTP/2 whose Host names another than its `:authority` is malformed (RFC 9113, section
 * 8.3.1).
 */
export function authorityFault({
  host,
  ':authority': authority,
}: IncomingHttpHeaders & { ':authority'?: string | undefined }): MessageFault | undefined {
  if (host === undefined || authority === undefined || host.toLowerCase() === authority.toLowerCase())
    return undefined;
  return badHost('the Host field and :authority differ');
}

/**
 * Whether a body came compressed (RFC 9110, section 8.4). We decode none, so such a body must not be taken
 * for text.
 */
export function isEncoded(headers: { readonly 'content-encoding'?: string | undefined }): boolean {
  const coding = headers['content-encoding'];
  // Not one pattern for name and blanks around it: that takes the square of its
  // length where many blanks come.
  return coding !== undefined && coding.split(',').some((name) => !/^(?:identity)?$/i.test(name.trim()));
}

/** RFC 3986, sections 3.2.2 and 3.2.3, without user information; an empty name has no port. */
const hostPattern = /^(?:(?:\[[0-9a-f:.]+\]|(?:[\w.~!$&'()*+;=-]|%[0-9a-f]{2})+)(?::\d{0,5})?)?$/i;

// Most requests of a listener have the same Host.
let lastHost = '';

function isHost(value: string): boolean {
  if (value === lastHost) return true;
  if (!hostPattern.test(value)) return false;
  lastHost = value;
  return true;
}

function targetFault(request: IncomingMessage): MessageFault | undefined {
  const target = request.url ?? '';
  if (target.startsWith('/'))
    return /[#\\]/.test(target) ? badTarget('the request target has a "#" or a backslash') : undefined;
  if (!/^https?:/i.test(target)) return undefined; // what is left is `*` and no path; the router says so
  const scheme = 'encrypted' in request.socket ? 'https' : 'http'; // of a TLSSocket
  const [, given, host, path] = /^(https?):\/\/([^/?#\\]+)([^#\\]*)$/i.exec(target) ?? [];
  if (given?.toLowerCase() !== scheme || !isHost(host!) || !URL.canParse(target))
    return badTarget(`the request target is not a ${scheme}:// address with a host and a path`);
  request.url = path!.startsWith('/') ? path! : `/${path!}`;
  request.headers.host = host!;
  return undefined;
}

/** Node ensures that there is no Content-Length as well, and that nothing comes behind `chunked`. */
function codingFault({ headers, httpVersionMinor }: IncomingMessage): MessageFault | undefined {
  if (httpVersionMinor === 0)
    return { status: 400, code: 'framing', message: 'Transfer-Encoding came with HTTP/1.0, which has none' };
  const codings = (headers['transfer-encoding'] ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
  // Without `chunked` at the end nobody knows where the body ends (section 6.3).
  if (codings.pop() !== 'chunked')
    return { status: 400, code: 'framing', message: 'the last transfer coding of a request is chunked' };
  return codings.length === 0
    ? undefined
    : {
        status: 501,
        code: 'transfer-coding',
        message: 'the only transfer coding that is understood here is chunked',
      };
}

const badHost = (message: string): MessageFault => ({ status: 400, code: 'bad-host', message });
const badTarget = (message: string): MessageFault => ({ status: 400, code: 'bad-target', message });
