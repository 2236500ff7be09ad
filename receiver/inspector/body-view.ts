// Shows a body of any kind as text of bounded length: JSON laid out in lines with its figures as they were
// sent, other text as it is, anything else as a dump of its bytes.

import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { parseJson } from '../../core/base/json.ts';

export type BodyView = {
  sizeBytes: number;
  sha256: string;
  kind: 'empty' | 'json' | 'text' | 'binary';
  text: string;
  /** There is more than is shown. */
  isCut: boolean;
};

/** Bytes of a body that are read, bytes of a dump, and characters of the resulting text. */
const mostBytes = 16 * 1024;
const mostDumped = 1024;
const mostCharacters = 64 * 1024;

/** @param hide takes secrets out of text and cuts it */
export function viewOf(body: Buffer, hide: (text: string, most: number) => string): BodyView {
  const sizeBytes = body.length;
  const sha256 = createHash('sha256').update(body).digest('hex');
  if (sizeBytes === 0) return { sizeBytes, sha256, kind: 'empty', text: '', isCut: false };
  // Tab, line feed and carriage return are text; other control characters are not.
  const isText = isUtf8(body) && !/[^\P{Cc}\t\n\r]/u.test(start(body));
  if (!isText) {
    const shown = body.subarray(0, mostDumped);
    return { sizeBytes, sha256, kind: 'binary', text: dump(shown), isCut: sizeBytes > mostDumped };
  }
  const text = hide(start(body), mostCharacters);
  const isWhole = sizeBytes <= mostBytes;
  const isJson = isWhole && /^\s*[[{]/.test(text) && 'value' in parseJson(text);
  if (!isJson) return { sizeBytes, sha256, kind: 'text', text, isCut: !isWhole };
  const laid = layOut(text);
  return {
    sizeBytes,
    sha256,
    kind: 'json',
    text: laid.slice(0, mostCharacters),
    isCut: laid.length > mostCharacters,
  };
}

/** The first characters of a text, none of them half. */
function start(body: Buffer): string {
  return new TextDecoder().decode(body.subarray(0, mostBytes), { stream: true });
}

/** Lays JSON out without reading it: `1.0` and numbers of twenty digits stay what they are. */
function layOut(json: string): string {
  let laid = '';
  let depth = 0;
  const line = () => `\n${'  '.repeat(depth)}`;
  // A string, a run of anything else, or one character of the structure.
  for (const [piece] of json.matchAll(/"(?:[^"\\]|\\.)*"|[^\s"{}[\],:]+|[{}[\],:]/g)) {
    if (laid.length > mostCharacters) break;
    if (piece === ',' || piece === ':') {
      laid += piece === ':' ? ': ' : ',';
    } else if (piece === '}' || piece === ']') {
      depth--;
      laid += laid.endsWith('{') || laid.endsWith('[') ? piece : line() + piece;
    } else {
      laid += laid === '' || laid.endsWith(': ') ? piece : line() + piece;
      if (piece === '{' || piece === '[') depth++;
    }
  }
  return laid;
}

/** As `hexdump -C` writes it. */
function dump(bytes: Buffer): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = bytes.subarray(at, at + 16);
    const hex = [...row].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const text = [...row]
      .map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.'))
      .join('');
    lines.push(`${at.toString(16).padStart(8, '0')}  ${hex.padEnd(47)}  |${text}|`);
  }
  return lines.join('\n');
}
