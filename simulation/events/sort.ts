// Sorts the entries of a bucket by their times' low bytes, ties in the order that they have: by insertion
// where they are few, else byte by byte, at a cost that grows with their number alone.

import { entryWords } from './chunks.ts';

/** As many take about as long either way. */
const few = 32;
const starts = new Int32Array(256);

/**
 * @param words `count` entries from the first word on
 * @param bytes by how many of its low bytes a time can differ from the others
 * @param spare as long as `words`
 * @returns the one of both arrays that has the sorted entries
 */
export function sortEntries(
  words: Uint32Array<ArrayBuffer>,
  count: number,
  bytes: number,
  spare: Uint32Array<ArrayBuffer>,
): Uint32Array<ArrayBuffer> {
  if (count <= few) {
    insert(words, count);
    return words;
  }
  // By the highest byte alone almost everything lies where it belongs, unless times are close together.
  if (bytes > 1 && countBytes(words, count * entryWords, 8 * bytes - 8) <= few) {
    scatter(words, spare, count * entryWords, 8 * bytes - 8);
    insert(spare, count);
    return spare;
  }
  let [from, to] = [words, spare];
  for (let byte = 0; byte < bytes; byte++) {
    countBytes(from, count * entryWords, 8 * byte);
    scatter(from, to, count * entryWords, 8 * byte);
    [from, to] = [to, from];
  }
  return from;
}

function insert(words: Uint32Array, count: number): void {
  for (let i = entryWords; i < count * entryWords; i += entryWords) {
    const low = words[i]!;
    if (words[i - entryWords]! <= low) continue;
    const [meta, subject, number] = [words[i + 1]!, words[i + 2]!, words[i + 3]!];
    let at = i;
    do {
      words[at] = words[at - 4]!;
      words[at + 1] = words[at - 3]!;
      words[at + 2] = words[at - 2]!;
      words[at + 3] = words[at - 1]!;
      at -= entryWords;
    } while (at > 0 && words[at - entryWords]! > low);
    words[at] = low;
    words[at + 1] = meta;
    words[at + 2] = subject;
    words[at + 3] = number;
  }
}

/**
 * Finds where the entries with each value of a byte begin.
 * @returns how many the most frequent value has
 */
function countBytes(from: Uint32Array, end: number, shift: number): number {
  starts.fill(0);
  for (let i = 0; i < end; i += entryWords) starts[(from[i]! >>> shift) & 255]!++;
  let sum = 0;
  let most = 0;
  for (let byte = 0; byte < 256; byte++) {
    const count = starts[byte]!;
    if (count > most) most = count;
    starts[byte] = sum;
    sum += count;
  }
  return most;
}

/** After `countBytes`. */
function scatter(from: Uint32Array, to: Uint32Array, end: number, shift: number): void {
  for (let i = 0; i < end; i += entryWords) {
    const at = starts[(from[i]! >>> shift) & 255]!++ * entryWords;
    to[at] = from[i]!;
    to[at + 1] = from[i + 1]!;
    to[at + 2] = from[i + 2]!;
    to[at + 3] = from[i + 3]!;
  }
}
