// Looks for damage in the log of a SQLite database (its -wal file,
// sqlite.org/fileformat2.html#the_write_ahead_log). SQLite reads the log up to the first frame that does not
// fit and drops the rest without a word: rightly so when that is the transaction that a loss of power cut
// off, but committed events would be gone when the damage is in the middle.

import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';

const headBytes = 32;
const frameHeadBytes = 24;

/**
 * @returns what is wrong; undefined when SQLite will find all committed transactions. A single transaction
 *   behind the first frame that does not fit is not damage: it was never synced, as each is synced before the
 *   next is written, so nobody was told that it was stored.
 */
export function damageOfLog(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const head = Buffer.alloc(headBytes);
    if (size < headBytes || readSync(file, head, 0, headBytes, 0) < headBytes) return undefined;
    const kind = head.readUInt32BE(0);
    const frameBytes = frameHeadBytes + head.readUInt32BE(8);
    const isOurs =
      (kind & ~1) === 0x377f0682 && frameBytes > frameHeadBytes && frameBytes <= frameHeadBytes + 65_536;
    if (!isOurs) return size > headBytes ? 'its log does not begin as one' : undefined;
    const isBigEndian = (kind & 1) === 1;
    let sums = addSums([0, 0], head.subarray(0, 24), isBigEndian);
    const headFits = sums[0] === head.readUInt32BE(24) && sums[1] === head.readUInt32BE(28);
    const salts = head.subarray(16, 24);
    const frame = Buffer.alloc(frameBytes);
    let firstBad: number | undefined = headFits ? undefined : 0;
    let commitsBehind = 0;
    for (let n = 0, at = headBytes; at + frameBytes <= size; n++, at += frameBytes) {
      readSync(file, frame, 0, frameBytes, at);
      const isOfThisLog = frame.subarray(8, 16).equals(salts);
      if (firstBad === undefined) {
        sums = addSums(
          addSums(sums, frame.subarray(0, 8), isBigEndian),
          frame.subarray(frameHeadBytes),
          isBigEndian,
        );
        if (!isOfThisLog || sums[0] !== frame.readUInt32BE(16) || sums[1] !== frame.readUInt32BE(20))
          firstBad = n;
      }
      if (firstBad !== undefined && isOfThisLog && frame.readUInt32BE(4) !== 0 && ++commitsBehind > 1) {
        return (
          `frame ${firstBad + 1} of its log does not fit, and transactions ` +
          'that were committed stand behind it'
        );
      }
    }
    return undefined;
  } finally {
    closeSync(file);
  }
}

/** The log's checksum, which goes on from frame to frame. */
function addSums([a, b]: readonly [number, number], bytes: Buffer, isBigEndian: boolean): [number, number] {
  for (let at = 0; at < bytes.length; at += 8) {
    a = (a + (isBigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at)) + b) >>> 0;
    b = (b + (isBigEndian ? bytes.readUInt32BE(at + 4) : bytes.readUInt32LE(at + 4)) + a) >>> 0;
  }
  return [a, b];
}
