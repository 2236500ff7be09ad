// Reads where HTTP/1.1 messages begin and end in a stream of bytes (RFC 9112), and hands every byte on as
// part of one: heads whole, bodies as they come. It judges nothing: bytes that it cannot read are handed on
// unread.

export type Head = {
  /** Method, target and version, or version, status and reason. */
  start: string;
  /** Names in lower case; a field that comes several times with its values joined by commas. */
  fields: ReadonlyMap<string, string>;
};

/** How a body ends: by length, by its last chunk, with the connection, or the stream is HTTP no longer. */
export type Body = { length: number } | 'chunked' | 'rest' | 'other-protocol';

export type Parts = {
  /** @param raw the whole head with its empty line */
  head(head: Head, raw: Buffer): Body;
  body(bytes: Buffer): void;
  /** The message is over. */
  end(): void;
  /** These bytes are not HTTP/1.1. From then on only this is called, with all bytes that follow. */
  unreadable(bytes: Buffer): void;
};

/** Heads are kept until they are whole; a longer one is passed on unread. */
const headMostBytes = 64 * 1024;
/**
 * A request begins with its method and a response with `HTTP/`, both in capitals. So the first byte is
 * enough to tell that a stream is something else: TLS begins with 0x16.
 */
const isCapital = (byte: number) => byte >= 0x41 && byte <= 0x5a;

type State =
  | { at: 'head'; kept: Buffer }
  | { at: 'length'; left: number }
  | { at: 'chunk-size'; kept: Buffer }
  | { at: 'chunk'; left: number }
  | { at: 'trailer'; kept: Buffer }
  | { at: 'rest' }
  | { at: 'unread' };

const nothing = Buffer.alloc(0);
const lineMostBytes = 16 * 1024;

export type MessageReader = {
  /** Takes the next bytes of the stream. They are kept where a head or a line of chunks is not whole. */
  read(bytes: Buffer): void;
  /** The stream has ended: kept bytes are handed on unread. */
  finish(): void;
};

export function readMessages(parts: Parts): MessageReader {
  let state: State = { at: 'head', kept: nothing };

  /** Each step takes some of the bytes. @returns the others; undefined when more have to come */
  function step(bytes: Buffer): Buffer | undefined {
    switch (state.at) {
      case 'head':
        return head(Buffer.concat([state.kept, bytes]));
      case 'length':
      case 'chunk':
        return counted(state, bytes);
      case 'chunk-size':
        return line(state.kept, bytes, chunkSize);
      case 'trailer':
        return line(state.kept, bytes, trailer);
      case 'rest':
        parts.body(bytes);
        return undefined;
      case 'unread':
        parts.unreadable(bytes);
        return undefined;
    }
  }

  function giveUp(bytes: Buffer): undefined {
    state = { at: 'unread' };
    parts.unreadable(bytes);
  }

  function head(bytes: Buffer): Buffer | undefined {
    if (!isCapital(bytes[0]!)) return giveUp(bytes);
    const ends = bytes.indexOf('\r\n\r\n');
    if (ends < 0) {
      if (bytes.length > headMostBytes) return giveUp(bytes);
      state = { at: 'head', kept: bytes };
      return undefined;
    }
    const raw = bytes.subarray(0, ends + 4);
    const read = readHead(raw.toString('latin1'));
    if (!read) return giveUp(bytes);
    const left = bytes.subarray(ends + 4);
    const body = parts.head(read, raw);
    if (body === 'other-protocol') {
      state = { at: 'unread' };
      return left;
    }
    if (body === 'rest') state = { at: 'rest' };
    else if (body === 'chunked') state = { at: 'chunk-size', kept: nothing };
    else if (body.length > 0) state = { at: 'length', left: body.length };
    else endMessage();
    return left;
  }

  function endMessage(): void {
    state = { at: 'head', kept: nothing };
    parts.end();
  }

  function counted(now: Extract<State, { left: number }>, bytes: Buffer): Buffer {
    const own = bytes.subarray(0, now.left);
    now.left -= own.length;
    parts.body(own);
    if (now.left === 0) {
      if (now.at === 'chunk') state = { at: 'chunk-size', kept: nothing };
      else endMessage();
    }
    return bytes.subarray(own.length);
  }

  /** Waits for the whole line of the chunked coding, which is passed on with its line feed. */
  function line(kept: Buffer, bytes: Buffer, then: (text: string) => void): Buffer | undefined {
    const all = kept.length === 0 ? bytes : Buffer.concat([kept, bytes]);
    const ends = all.indexOf('\n');
    if (ends < 0) {
      if (all.length > lineMostBytes) return giveUp(all);
      state = state.at === 'trailer' ? { at: 'trailer', kept: all } : { at: 'chunk-size', kept: all };
      return undefined;
    }
    const own = all.subarray(0, ends + 1);
    parts.body(own);
    then(own.toString('latin1').trim());
    return all.subarray(ends + 1);
  }

  function chunkSize(text: string): void {
    const size = Number.parseInt(text, 16);
    if (Number.isNaN(size)) state = { at: 'unread' };
    else if (size === 0) state = { at: 'trailer', kept: nothing };
    else state = { at: 'chunk', left: size + 2 }; // its data end with CR LF, which counts as part of it
  }

  function trailer(text: string): void {
    if (text === '') endMessage();
    else state = { at: 'trailer', kept: nothing };
  }

  return {
    read(bytes) {
      for (let left: Buffer | undefined = bytes; left !== undefined && left.length > 0;) left = step(left);
    },
    finish() {
      if ('kept' in state && state.kept.length > 0) giveUp(state.kept);
    },
  };
}

/** @returns undefined where it is not a head of HTTP/1.0 or 1.1 */
function readHead(text: string): Head | undefined {
  const [start = '', ...lines] = text.slice(0, -4).split('\r\n');
  if (!/^(?:[A-Z-]+ \S+ HTTP\/1\.[01]|HTTP\/1\.[01] \d{3}(?: .*)?)$/.test(start)) return undefined;
  const fields = new Map<string, string>();
  for (const one of lines) {
    const colon = one.indexOf(':');
    if (colon <= 0) return undefined;
    const name = one.slice(0, colon).toLowerCase();
    const value = one.slice(colon + 1).trim();
    const known = fields.get(name);
    fields.set(name, known === undefined ? value : `${known}, ${value}`);
  }
  return { start, fields };
}

/** How the body of a message ends that may have one. @param otherwise where its head does not say */
export function bodyOf({ fields }: Head, otherwise: Body): Body {
  const coding = fields.get('transfer-encoding');
  if (coding !== undefined) return /(?:^|,)\s*chunked$/i.test(coding) ? 'chunked' : 'rest';
  const length = fields.get('content-length');
  return length !== undefined && /^\d+$/.test(length) ? { length: Number(length) } : otherwise;
}
