// Combines the CRC-32s of two texts to the CRC-32 of both, one behind the other, so that a text that is part
// of many sums is read once (zlib's crc32_combine_op, which node:zlib does not have).
//
// A CRC is the remainder of a polynomial over GF(2), with x^0 in bit 31. `n` bytes behind a text multiply its
// CRC by x^8n, and their own CRC is then added.

/** The remainder of x^8n for so many bytes. */
export function crcShift(bytes: number): number {
  let shift = 1 << 31;
  let square = 1 << 23; // x^8
  for (let left = bytes; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) shift = product(square, shift);
    square = product(square, square);
  }
  return shift;
}

/**
 * The CRC-32 of two texts, one behind the other, from the CRC-32 of each.
 * @param shift `crcShift` of the length of the second
 */
export function combineCrc(first: number, second: number, shift: number): number {
  return (product(shift, first) ^ second) >>> 0;
}

/** Of two remainders, modulo the polynomial of CRC-32. */
function product(a: number, b: number): number {
  let sum = 0;
  // Each round takes the next term of `a`, and multiplies `b` by x.
  for (let terms = a | 0; terms !== 0; terms <<= 1) {
    if (terms < 0) sum ^= b;
    b = (b >>> 1) ^ (b & 1 ? 0xedb88320 : 0);
  }
  return sum;
}
