// Decodes a text by the rules of JSON, URLs, HTML, shells, base64 and hex, and remembers for each decoded
// byte where in the text it came from. It decodes anything that looks like one of them: good for finding
// secrets, not for reading a text.

export type Layer = {
  /** As a string of characters up to 255. */
  readonly bytes: string;
  /** For each byte, where its source in the text begins and ends, in UTF-16 units. */
  readonly from: readonly number[];
  readonly to: readonly number[];
};

type Draft = { pieces: string[]; from: number[]; to: number[] };

/** The text in UTF-8. */
export function plainLayer(text: string): Layer {
  const draft: Draft = { pieces: [], from: [], to: [] };
  let at = 0;
  for (const point of text) {
    add(draft, utf8(point), at, at + point.length);
    at += point.length;
  }
  return layerOf(draft);
}

/**
 * What the codings make of a layer; none for those of which it holds nothing.
 * @param shortest of base64 and hex what stands for fewer bytes is left out
 */
export function decodings(layer: Layer, shortest: number): Layer[] {
  return [
    ...replaced(layer, jsonEscape, unescapeJson),
    ...replaced(layer, percentEscape, (match) =>
      match[1] === undefined
        ? String.fromCharCode(Number.parseInt(match[2]!, 16))
        : utf8(pointOf(match[1], 16)),
    ),
    ...replaced(layer, htmlEscape, unescapeHtml),
    ...replaced(layer, quotedApostrophe, () => "'"),
    ...replaced(layer, readAsLatin1, ([pair]) =>
      String.fromCharCode(((pair.charCodeAt(0) & 3) << 6) | (pair.charCodeAt(1) & 63)),
    ),
    ...base64Runs(layer, shortest),
    ...hexRuns(layer, shortest),
  ];
}

const jsonEscape =
  /\\(?:u(d[89ab][\da-f]{2})\\u(d[c-f][\da-f]{2})|u([\da-f]{4})|u\{([\da-f]{1,6})\}|x([\da-f]{2})|([^]))/gi;
const shortEscapes: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

function unescapeJson([, high, low, unit, point, byte, short]: RegExpExecArray): string {
  if (high !== undefined && low !== undefined)
    return utf8(String.fromCharCode(Number.parseInt(high, 16), Number.parseInt(low, 16)));
  const number = unit ?? point ?? byte;
  return number === undefined ? (shortEscapes[short!] ?? short!) : utf8(pointOf(number, 16));
}

const percentEscape = /%(?:u([\da-f]{4})|([\da-f]{2}))/gi;

/** Between apostrophes: for a shell, and in YAML. */
const quotedApostrophe = /'(?:\\'|"'")'|''/g;

/**
 * A byte beyond ASCII that somebody took for a character of Latin-1 and wrote in UTF-8, as happens to
 * headers.
 */
const readAsLatin1 = /[\xc2\xc3][\x80-\xbf]/g;

const htmlEscape = /&(?:#(\d{1,7})|#x([\da-f]{1,6})|(amp|lt|gt|quot|apos|nbsp|sol|plus|equals|colon));?/gi;
const entities: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  sol: '/',
  plus: '+',
  equals: '=',
  colon: ':',
};

function unescapeHtml([, decimal, hexadecimal, name]: RegExpExecArray): string {
  if (name !== undefined) return entities[name.toLowerCase()]!;
  return utf8(decimal === undefined ? pointOf(hexadecimal!, 16) : pointOf(decimal, 10));
}

function pointOf(digits: string, radix: number): string {
  const point = Number.parseInt(digits, radix);
  return point > 0x10ffff ? '' : String.fromCodePoint(point);
}

function utf8(text: string): string {
  return /^[\0-\x7f]*$/.test(text) ? text : Buffer.from(text).toString('latin1');
}

function add(draft: Draft, bytes: string, from: number, to: number): void {
  draft.pieces.push(bytes);
  for (let i = 0; i < bytes.length; i++) {
    draft.from.push(from);
    draft.to.push(to);
  }
}

function layerOf({ pieces, from, to }: Draft): Layer {
  return { bytes: pieces.join(''), from, to };
}

/** The layer with each match replaced by what `read` makes of it. */
function replaced(layer: Layer, pattern: RegExp, read: (match: RegExpExecArray) => string): Layer[] {
  const draft: Draft = { pieces: [], from: [], to: [] };
  let at = 0;
  const copyTo = (end: number) => {
    for (; at < end; at++) add(draft, layer.bytes[at]!, layer.from[at]!, layer.to[at]!);
  };
  for (const match of layer.bytes.matchAll(pattern)) {
    const end = match.index + match[0].length;
    copyTo(match.index);
    add(draft, read(match), layer.from[match.index]!, layer.to[end - 1]!);
    at = end;
  }
  if (at === 0) return [];
  copyTo(layer.bytes.length);
  return [layerOf(draft)];
}

const base64Alphabet = new Map(
  Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', (char, i) => [char, i]),
);
base64Alphabet.set('-', 62).set('_', 63); // base64url

/**
 * Runs of the alphabet, over the ends of lines, from each of the places in a group of four at which it may
 * begin.
 */
function base64Runs(layer: Layer, shortest: number): Layer[] {
  return [...layer.bytes.matchAll(/[A-Za-z\d+/_-](?:[\r\n]*[A-Za-z\d+/_-])+/g)].flatMap((run) => {
    const places = placesIn(run, (char) => base64Alphabet.has(char));
    if (places.length * 6 < (shortest - 1) * 8) return [];
    return [0, 1, 2, 3].map((skipped) =>
      bitsOf(layer, places.slice(skipped), 6, (char) => base64Alphabet.get(char)!),
    );
  });
}

/** Runs of digits, with separators between or without, from an even place and from an odd one. */
function hexRuns(layer: Layer, shortest: number): Layer[] {
  return [...layer.bytes.matchAll(/[\da-f](?:[ :-]?[\da-f])+/gi)].flatMap((run) => {
    const places = placesIn(run, (char) => /[\da-f]/i.test(char));
    if (places.length < shortest * 2) return [];
    return [0, 1].map((skipped) =>
      bitsOf(layer, places.slice(skipped), 4, (char) => Number.parseInt(char, 16)),
    );
  });
}

function placesIn(run: RegExpExecArray, counts: (char: string) => boolean): number[] {
  return Array.from(run[0], (char, i) => (counts(char) ? run.index + i : -1)).filter((place) => place >= 0);
}

/** Bytes of the characters at these places, each of which stands for so many bits. */
function bitsOf(
  layer: Layer,
  places: readonly number[],
  bitsEach: number,
  valueOf: (char: string) => number,
): Layer {
  const draft: Draft = { pieces: [], from: [], to: [] };
  let bits = 0;
  let held = 0;
  for (const [i, place] of places.entries()) {
    bits = ((bits << bitsEach) | valueOf(layer.bytes[place]!)) & 0xffff;
    held += bitsEach;
    if (held < 8) continue;
    held -= 8;
    const first = places[Math.floor((draft.from.length * 8) / bitsEach)]!;
    add(draft, String.fromCharCode((bits >> held) & 0xff), layer.from[first]!, layer.to[places[i]!]!);
  }
  return layerOf(draft);
}
