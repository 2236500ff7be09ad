// Receives webhooks to look at them: shows each request, whether its signature is right and by which scheme,
// and which delivery it repeats; answers as it is told to. Its page has a port of its own, on loopback, so
// that a tunnel to the receiver lets nobody read what came. What it keeps is in memory and bounded.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { schemes, type SchemeName } from '../../core/signature/schemes.ts';
import { formatNumber } from '../../core/base/units.ts';
import { readRawBody, type RawBody } from '../raw-body.ts';
import { createAnswering, type Answering } from './answering.ts';
import { viewOf } from './body-view.ts';
import { checkSignature, type Verdict } from './check.ts';
import { conductWords, createConduct, isActedUpon, type Conduct, type ConductControl } from './conduct.ts';
import { createExchanges, keyOf, longestId, type Exchange, type Exchanges } from './exchanges.ts';
import { createHide, type Hide } from './hidden.ts';
import { openPort, refuse } from './listener.ts';
import { createPage } from './page.ts';
import { claimsOf } from './recognise.ts';
import { readSecrets, type Secrets } from './secrets.ts';

export type InspectorOptions = {
  /** The receiver's address; the page is on 127.0.0.1 whatever it is. */
  host: string;
  /** 0 for any free one. */
  port: number;
  pagePort: number;
  /** Names that the receiver answers to besides its own: those of tunnels. */
  allowHosts: readonly string[];
  secrets: readonly string[];
  /** Takes the secrets as those of this scheme alone. */
  scheme?: SchemeName;
  toleranceS?: number | undefined;
  /** How it answers in the beginning. */
  conduct: Conduct;
  /** Answers 401 to what is not verified, as a receiver in earnest does. */
  isStrict: boolean;
  /** Called for each request, when it is known how it will be answered. */
  heard?(exchange: Exchange): void;
  /** Called for each request that was not let in. */
  turnedAway?(message: string, host: string | undefined): void;
};

export type Inspector = {
  url: string;
  /** With a slash at its end. */
  pageUrl: string;
  /** @throws UserError when one is not a secret of the scheme */
  useSecrets(texts: readonly string[], scheme?: SchemeName): void;
  close(): Promise<void>;
};

/** Of a body; more is answered 413. */
const maxBodyBytes = 1024 * 1024;

/** What a receiver works with. */
type Parts = Pick<InspectorOptions, 'isStrict' | 'toleranceS' | 'heard'> & {
  secrets: Secrets;
  hide: Hide;
  readonly exchanges: Exchanges;
  readonly conduct: ConductControl;
  readonly answer: Answering;
  changed(): void;
};

/**
 * @throws UserError when a secret is none
 * @throws the system's error when a port cannot be had
 */
export async function startInspector(options: InspectorOptions): Promise<Inspector> {
  const { host, port, pagePort, allowHosts, secrets, scheme, conduct, isStrict, toleranceS, heard } = options;
  const exchanges = createExchanges();
  const control = createConduct(conduct);
  const parts: Parts = {
    isStrict,
    toleranceS,
    ...(heard && { heard }),
    secrets: readSecrets(secrets, scheme),
    hide: createHide(secrets),
    exchanges,
    conduct: control,
    answer: createAnswering(),
    changed: () => page.changed(),
  };
  const page = createPage({
    exchanges,
    conduct: control,
    receiver: () => ({ url: hook.url, isStrict, secrets: parts.secrets.texts.length }),
  });
  const hook = await openPort({
    host,
    port,
    allowHosts,
    serve: (request, response) => receive(parts, request, response),
    turnedAway(message, name) {
      exchanges.counts.turnedAway++;
      options.turnedAway?.(message, name);
      page.changed();
    },
  });
  const pagePortOpen = await openPort({
    host: '127.0.0.1',
    port: pagePort,
    allowHosts: [],
    serve: page.serve,
  }).catch(async (error: unknown) => {
    await hook.close();
    throw error;
  });
  return {
    url: hook.url,
    pageUrl: `${pagePortOpen.url}/`,
    useSecrets(texts, only) {
      parts.secrets = readSecrets(texts, only);
      parts.hide = createHide(texts);
      page.changed();
    },
    close: async () => void (await Promise.all([hook.close(), pagePortOpen.close()])),
  };
}

async function receive(parts: Parts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const read = await new Promise<RawBody>((resolve) => readRawBody(request, maxBodyBytes, resolve));
  const { exchange, conduct, refusal } = judged(parts, request, read);
  parts.exchanges.add(exchange);
  parts.heard?.(exchange);
  parts.changed();
  if (response.destroyed) return;
  if (refusal === undefined) return parts.answer(request, response, conduct);
  response.shouldKeepAlive = read.kind === 'whole';
  refuse(response, refusal.status, refusal.error, refusal.message);
}

type Refusal = { status: number; error: string; message: string };

/** What came, and how it is answered. */
function judged(
  parts: Parts,
  request: IncomingMessage,
  read: RawBody,
): { exchange: Exchange; conduct: Conduct; refusal: Refusal | undefined } {
  const { hide, exchanges, isStrict } = parts;
  const number = exchanges.counts.received + 1;
  const body = read.kind === 'whole' ? read.body : Buffer.alloc(0);
  const signature: Verdict =
    read.kind === 'whole'
      ? verdictOf(parts, request, body)
      : { kind: 'unsigned', message: unread[read.kind] };
  const refusal = refusalOf(read, isStrict, signature);
  const conduct = parts.conduct.now();
  const named = refusal === undefined ? idOf(request, body, signature) : undefined;
  const seen = named && exchanges.seen(named.id, number);
  const acts = refusal === undefined && isActedUpon(conduct) && seen?.isActedUpon !== true;
  if (refusal === undefined) parts.conduct.next();
  if (acts && named) exchanges.actedUpon(named.id);
  const exchange: Exchange = {
    number,
    at: new Date().toISOString(),
    method: request.method ?? '',
    path: hide.path(request.url ?? ''),
    headers: pairsOf(request.rawHeaders).map(([name, value]) => [name, hide.header(name, value)]),
    body: viewOf(body, hide.text),
    signature,
    ...(named && { id: hide.text(named.id, longestId), idFrom: named.from }),
    ...(seen && seen.first !== number && { repeats: seen.first }),
    isActedUpon: acts,
    answer: refusal ? String(refusal.status) : conductWords(conduct),
  };
  return { exchange, conduct, refusal };
}

const unread = {
  'too-large': `not checked: the body has more than ${formatNumber(maxBodyBytes)} bytes and was not read`,
  cut: 'not checked: the connection ended before the body did',
  gone: 'not checked: the body is gone',
} as const;

function verdictOf(
  { secrets, toleranceS, exchanges }: Parts,
  { headers }: IncomingMessage,
  body: Buffer,
): Verdict {
  return checkSignature(headers, body, {
    secrets,
    toleranceS,
    nowS: Math.floor(Date.now() / 1000),
    verifiedBefore: exchanges.verified,
  });
}

function refusalOf({ kind }: RawBody, isStrict: boolean, signature: Verdict): Refusal | undefined {
  const { message } = signature;
  if (kind === 'too-large') return { status: 413, error: 'too-large', message };
  if (kind !== 'whole') return { status: 400, error: kind, message };
  if (!isStrict || signature.kind === 'verified') return undefined;
  return { status: 401, error: signature.kind === 'wrong' ? signature.reason : signature.kind, message };
}

/** What a repetition is recognised by, of the scheme that the request is signed by or claims to be. */
function idOf(
  { headers }: IncomingMessage,
  body: Buffer,
  signature: Verdict,
): { id: string; from: string } | undefined {
  if (signature.kind === 'unsigned') return keyOf(headers);
  const { scheme } = signature;
  const claim = claimsOf(headers).find((one) => one.scheme === scheme);
  const id = claim && schemes[scheme].idOf(claim.headers, body);
  if (!claim || id === undefined) return keyOf(headers);
  const inHeader = Object.entries(headers).find(([name, value]) => value === id && /id|delivery/.test(name));
  return { id: id.slice(0, longestId), from: inHeader?.[0] ?? "the body's id" };
}

/** @param raw names and values in turn */
function pairsOf(raw: readonly string[]): [string, string][] {
  return Array.from({ length: raw.length / 2 }, (_, i) => [raw[2 * i]!, raw[2 * i + 1]!]);
}
