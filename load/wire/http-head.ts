// Reads HTTP/1.1 responses (RFC 9112) incrementally from whatever pieces TCP brings: the head, bounded, and
// the body in any of its framings, handed on in place and never copied. Knows nothing of what the body means.

import { contentLength, parseHead, type ResponseHead } from './head-fields.ts';
import { ProtocolError } from './protocol-error.ts';

/** A response whose head is larger is refused, as Node's own server and client do. */
export const maxHeadBytes = 16 * 1024;
/** A chunk's size line with its extensions, and all trailers together. */
const maxChunkLineBytes = 4096;

export type { ResponseHead };

/** Where the parts of a response go. One object serves all connections; `Owner` tells them apart. */
export type ResponseParts<Owner> = {
  head(owner: Owner, head: ResponseHead, atUs: number): void;
  /** A run of body bytes, `from`..`to`, without the framing; valid during the call only. */
  body(owner: Owner, bytes: Buffer, from: number, to: number, atUs: number): void;
  /** The response is complete. */
  end(owner: Owner, atUs: number): void;
};

/** How far into a response a connection is. Made by `newResponseReader`, moved by `readResponse`. */
export type ResponseReader = {
  stage: Stage;
  /** Bytes of the body or chunk still to come. */
  left: number;
  /** Bytes of the chunk-size line, or of the trailers, so far. */
  seen: number;
  /** The part of a head that came before. */
  kept: Buffer | undefined;
};

const inHead = 0;
const inBody = 1;
const inChunkSize = 2;
const inChunkExtension = 3;
const inChunk = 4;
const behindChunk = 5;
const endOfChunk = 6;
const inTrailers = 7;
const untilClose = 8;
/** 101: what follows is another protocol. */
const upgraded = 9;
/** Behind the CR of a chunk's size line. */
const endOfChunkSize = 10;
/** Behind a CR in the trailers. */
const endOfTrailer = 11;
type Stage = number;

export function newResponseReader(): ResponseReader {
  return { stage: inHead, left: 0, seen: 0, kept: undefined };
}

const cr = 0x0d;
const lf = 0x0a;
const headEnd = Buffer.from('\r\n\r\n');

/**
 * Reads bytes `from`..`to`, over as many responses as they hold. Interim responses (1xx) are skipped.
 * @returns `to`, or after a `101` the offset of the first byte of the new protocol
 * @throws ProtocolError `http-head` (malformed), `http-head-too-large`, `http-chunk`
 */
export function readResponse<Owner>(
  reader: ResponseReader,
  bytes: Buffer,
  from: number,
  to: number,
  atUs: number,
  parts: ResponseParts<Owner>,
  owner: Owner,
): number {
  let at = from;
  while (at < to) {
    switch (reader.stage) {
      case inHead:
        at = readHead(reader, bytes, at, to, atUs, parts, owner);
        break;
      case inChunkSize:
      case inChunkExtension:
        at = readChunkSize(reader, bytes, at, to);
        break;
      case inBody:
      case inChunk: {
        const end = Math.min(to, at + reader.left);
        parts.body(owner, bytes, at, end, atUs);
        reader.left -= end - at;
        at = end;
        if (reader.left > 0) break;
        if (reader.stage === inChunk) reader.stage = behindChunk;
        else finish(reader, parts, owner, atUs);
        break;
      }
      case behindChunk:
        expect(bytes[at++], cr);
        reader.stage = endOfChunk;
        break;
      case endOfChunk:
        expect(bytes[at++], lf);
        nextChunk(reader);
        break;
      case endOfChunkSize:
        if (bytes[at++] !== lf) throw new ProtocolError('http-chunk', "a chunk's size line has a bare CR");
        reader.stage = reader.left > 0 ? inChunk : inTrailers;
        reader.seen = 0;
        break;
      case inTrailers:
      case endOfTrailer:
        at = readTrailers(reader, bytes, at, to, atUs, parts, owner);
        break;
      case untilClose:
        parts.body(owner, bytes, at, to, atUs);
        return to;
      case upgraded:
        return at;
    }
  }
  return to;
}

/**
 * The connection has ended. A body that lasts until then is complete now.
 * @returns false when a response was cut short
 */
export function endResponses<Owner>(
  reader: ResponseReader,
  atUs: number,
  parts: ResponseParts<Owner>,
  owner: Owner,
): boolean {
  if (reader.stage === untilClose) finish(reader, parts, owner, atUs);
  return (reader.stage === inHead && reader.kept === undefined) || reader.stage === upgraded;
}

/** A path of the server's, such as `/events`, below the base path that its URL may have. */
export function pathBelow(base: URL, path: string): string {
  return base.pathname.replace(/\/$/, '') + path;
}

/** The bytes of a GET request. @param target path and query */
export function encodeRequest(url: URL, target: string, headers: Readonly<Record<string, string>>): Buffer {
  const fields = Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
  return Buffer.from(`GET ${target} HTTP/1.1\r\nhost: ${url.host}\r\n${fields}\r\n`);
}

function readHead<Owner>(
  reader: ResponseReader,
  bytes: Buffer,
  from: number,
  to: number,
  atUs: number,
  parts: ResponseParts<Owner>,
  owner: Owner,
): number {
  const before = reader.kept?.length ?? 0;
  const joined = reader.kept
    ? Buffer.concat([reader.kept, bytes.subarray(from, Math.min(to, from + maxHeadBytes))])
    : bytes;
  const start = reader.kept ? 0 : from;
  // The end may straddle the seam, and the shared buffer holds old bytes behind `to`.
  const limit = reader.kept ? joined.length : to;
  const end = joined.subarray(start, limit).indexOf(headEnd, Math.max(0, before - 3));
  if ((end < 0 ? limit - start : end) > maxHeadBytes) {
    throw new ProtocolError(
      'http-head-too-large',
      `the response's head is larger than ${maxHeadBytes} bytes`,
    );
  }
  if (end < 0) {
    reader.kept = Buffer.from(joined.subarray(start, limit));
    return to;
  }
  const head = parseHead(joined.toString('latin1', start, start + end));
  reader.kept = undefined;
  startBody(reader, head, atUs, parts, owner);
  return from + end + headEnd.length - before;
}

function startBody<Owner>(
  reader: ResponseReader,
  head: ResponseHead,
  atUs: number,
  parts: ResponseParts<Owner>,
  owner: Owner,
): void {
  const { status, headers } = head;
  if (status >= 100 && status < 200 && status !== 101) return;
  const chunked = headers.has('transfer-encoding'); // `parseHead` lets no other coding pass
  const length = headers.get('content-length');
  // RFC 9112, section 6.3: how long the body is.
  if (status === 101) reader.stage = upgraded;
  else if (status === 204 || status === 304) bodyOf(reader, 0);
  else if (chunked) nextChunk(reader);
  else if (length === undefined) reader.stage = untilClose;
  else bodyOf(reader, contentLength(length));
  const keepAlive = head.keepAlive && reader.stage !== untilClose;
  parts.head(owner, keepAlive === head.keepAlive ? head : { ...head, keepAlive }, atUs);
  if (reader.stage === inBody && reader.left === 0) finish(reader, parts, owner, atUs);
}

function bodyOf(reader: ResponseReader, length: number): void {
  reader.stage = inBody;
  reader.left = length;
}

function nextChunk(reader: ResponseReader): void {
  reader.stage = inChunkSize;
  reader.left = 0;
  reader.seen = 0;
}

function finish<Owner>(
  reader: ResponseReader,
  parts: ResponseParts<Owner>,
  owner: Owner,
  atUs: number,
): void {
  reader.stage = inHead;
  parts.end(owner, atUs);
}

function readChunkSize(reader: ResponseReader, bytes: Buffer, from: number, to: number): number {
  for (let at = from; at < to; at++) {
    const byte = bytes[at]!;
    if (++reader.seen > maxChunkLineBytes)
      throw new ProtocolError('http-chunk', `a chunk's size line is longer than ${maxChunkLineBytes} bytes`);
    if (byte === cr && reader.seen > 1) {
      reader.stage = endOfChunkSize;
      return at + 1;
    }
    if (byte === lf && reader.seen > 1)
      throw new ProtocolError('http-chunk', "a chunk's size line has a bare LF");
    if (reader.stage === inChunkExtension) continue;
    const digit = hexDigit(byte);
    if (digit >= 0 && reader.left < 2 ** 44) reader.left = reader.left * 16 + digit;
    else if (reader.seen > 1 && (byte === 0x3b || byte === 0x20 || byte === 0x09))
      reader.stage = inChunkExtension;
    else throw new ProtocolError('http-chunk', 'a chunk has a malformed size');
  }
  return to;
}

function expect(byte: number | undefined, wanted: number): void {
  if (byte !== wanted) throw new ProtocolError('http-chunk', 'a chunk is longer than its size says');
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

/**
 * Skips the trailers, which are merged into nothing (RFC 9112, section 7.1.2); the body ends with an empty
 * line. `left` counts the bytes of the current line.
 */
function readTrailers<Owner>(
  reader: ResponseReader,
  bytes: Buffer,
  from: number,
  to: number,
  atUs: number,
  parts: ResponseParts<Owner>,
  owner: Owner,
): number {
  for (let at = from; at < to; at++) {
    if (++reader.seen > maxChunkLineBytes)
      throw new ProtocolError('http-chunk', `the trailers are longer than ${maxChunkLineBytes} bytes`);
    const byte = bytes[at];
    if (reader.stage === endOfTrailer) {
      if (byte !== lf) throw new ProtocolError('http-chunk', 'the trailers have a bare CR');
      if (reader.left === 0) {
        finish(reader, parts, owner, atUs);
        return at + 1;
      }
      reader.stage = inTrailers;
      reader.left = 0;
    } else if (byte === cr) {
      reader.stage = endOfTrailer;
    } else if (byte === lf) {
      throw new ProtocolError('http-chunk', 'the trailers have a bare LF');
    } else {
      reader.left++;
    }
  }
  return to;
}
