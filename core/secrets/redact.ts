// Takes secrets out of text that others have written: a target may repeat what it was sent as it is, in JSON,
// in a URL, in HTML, in base64 or in hex, in one of these inside another, and in a quote that is cut short.
//
// The text is read as each of these codings says, up to `deepest` times, with a note of where each byte came
// from; where a secret stands in what comes out, the place that it came from is taken out. Besides, the usual
// spellings of a secret are looked for as they are, since what stands before one may change how it is read.

import { spellingsOf } from './spellings.ts';
import { decodings, plainLayer, type Layer } from './text-layers.ts';

export type Secret = { name: string; value: string };

/** Shorter values stand in any text: taking them out would hide nothing and garble everything. */
export const shortestSecret = 4;

const deepest = 3;
const keptTexts = 500;
/** A spelling of a character takes no more of a text: `&#x10ffff;` in JSON in a URL. */
const longestSpelling = 32;
/** Bytes of a UTF-16 unit in UTF-8. */
const longestCharacter = 3;
const mostRounds = 3;

type Needle = { bytes: string; name: string };
/** From and up to, in UTF-16 units. */
type Span = { from: number; to: number; name: string };
/** `done` and `quoted`: texts that have been cleaned already, whole and cut. */
type Known = {
  needles: Needle[];
  shortest: number;
  longest: number;
  done: Map<string, string>;
  quoted: Map<string, string>;
};

const known = new WeakMap<readonly Secret[], Known>();

/** The text with `${NAME}` in the place of each secret, in whatever form. */
export function redact(text: string, secrets: readonly Secret[]): string {
  if (secrets.length === 0) return text;
  return kept(knownOf(secrets).done, text, () => cleaned(text, text.length, secrets));
}

/**
 * A target sends most of its texts many times, up to thousands of times a second, so results are kept.
 */
function kept(texts: Map<string, string>, key: string, clean: () => string): string {
  let text = texts.get(key);
  if (text === undefined) {
    text = clean();
    if (texts.size >= keptTexts) texts.clear();
    texts.set(key, text);
  }
  return text;
}

/**
 * The first `most` characters of a text that others have written, without secrets. A secret that stands
 * across the cut is replaced whole.
 */
export function quote(text: string, most: number, secrets: readonly Secret[]): string {
  if (secrets.length === 0) return text.slice(0, most);
  const seen = text.slice(0, quotedLength(most, secrets));
  return kept(knownOf(secrets).quoted, `${most} ${seen}`, () => cleaned(seen, most, secrets));
}

/** As `quote`, of bytes `from`..`to` in UTF-8. */
export function quoteBytes(
  bytes: Buffer,
  from: number,
  to: number,
  most: number,
  secrets: readonly Secret[],
): string {
  const text = bytes.toString(
    'utf8',
    from,
    Math.min(to, from + longestCharacter * quotedLength(most, secrets)),
  );
  return quote(text, most, secrets);
}

/** How much of a text `quote` has to see. */
function quotedLength(most: number, secrets: readonly Secret[]): number {
  return most + (secrets.length === 0 ? 0 : knownOf(secrets).longest * longestSpelling);
}

function cleaned(text: string, most: number, secrets: readonly Secret[]): string {
  const look = knownOf(secrets);
  let spans = spansIn(text, look);
  let clean = withoutSpans(text, most, spans);
  // The text around a removed secret may now form a secret itself.
  for (let round = 0; round < mostRounds; round++) {
    spans = spansIn(clean, look);
    if (spans.length === 0) return clean;
    clean = withoutSpans(clean, clean.length, spans);
  }
  return '(not shown, as it contains secrets)';
}

function withoutSpans(text: string, most: number, spans: readonly Span[]): string {
  let clean = '';
  let at = 0;
  for (const { from, to, name } of spans) {
    if (from >= most) break;
    clean += text.slice(at, from) + name;
    at = to;
  }
  return at < most ? clean + text.slice(at, most) : clean;
}

/** Where secrets stand, in order and apart from each other. */
function spansIn(text: string, look: Known): Span[] {
  const found: Span[] = [];
  search(plainLayer(text), look, deepest, found);
  found.sort((a, b) => a.from - b.from || b.to - a.to);
  const apart: Span[] = [];
  for (const span of found) {
    const last = apart.at(-1);
    if (last && span.from < last.to) last.to = Math.max(last.to, span.to);
    else apart.push({ ...span });
  }
  return apart;
}

function search(layer: Layer, look: Known, depth: number, found: Span[]): void {
  if (layer.bytes.length < look.shortest) return;
  const folded = fold(layer.bytes);
  for (const { bytes, name } of look.needles) {
    for (let at = folded.indexOf(bytes); at >= 0; at = folded.indexOf(bytes, at + 1)) {
      found.push({ from: layer.from[at]!, to: layer.to[at + bytes.length - 1]!, name });
    }
  }
  if (depth === 0) return;
  for (const decoded of decodings(layer, look.shortest)) search(decoded, look, depth - 1, found);
}

function knownOf(secrets: readonly Secret[]): Known {
  let look = known.get(secrets);
  if (look) return look;
  const needles = secrets.flatMap(({ name, value }) => {
    const place = `\${${name}}`;
    // A variable may be called like its value.
    const shown = fold(place).includes(fold(value)) ? '${...}' : place;
    return spellingsOf(value).map((bytes) => ({ bytes: fold(bytes), name: shown }));
  });
  look = {
    needles,
    shortest: Math.min(...needles.map(({ bytes }) => bytes.length)),
    longest: Math.max(...secrets.map(({ value }) => value.length)),
    done: new Map(),
    quoted: new Map(),
  };
  known.set(secrets, look);
  return look;
}

/** Hosts and names of headers change their case, forms their blanks. */
function fold(bytes: string): string {
  return bytes.replace(/[A-Z+]/g, (one) => (one === '+' ? ' ' : one.toLowerCase()));
}
