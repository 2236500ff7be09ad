// Writes WebSocket frames as text, one a line, and makes those that a page's client sends.

/**
 * WebSocket frames (RFC 6455, section 5.2), a line each: the header in hexadecimal, its length left
 * open, and what it carries.
 */
export function unframed(text: string): string {
  const head = text.startsWith('HTTP/') ? text.indexOf('\r\n\r\n') + 4 : 0;
  const bytes = Buffer.from(text.slice(head), 'latin1');
  if ((bytes[0] ?? 0) < 0x80) return text;
  let lines = text.slice(0, head);
  for (let at = 0; at < bytes.length;) {
    const opcode = bytes.readUInt8(at);
    const second = bytes.readUInt8(at + 1);
    const long = (second & 0x7f) === 126;
    const length = long ? bytes.readUInt16BE(at + 2) : second & 0x7f;
    at += long ? 4 : 2;
    const mask = second < 0x80 ? '' : bytes.toString('latin1', at, at + 4);
    at += mask.length;
    const payload = bytes.toString('latin1', at, at + length);
    const meant = mask === '' ? payload : unmasked(payload, mask);
    at += length;
    lines +=
      opcode === 0x88
        ? `[88 ${hex(String.fromCharCode(second))}${mask && ` ${hex(mask)}`}] ` +
          `${Buffer.from(meant, 'latin1').readUInt16BE()}`
        : `[81 ?${mask && ` ${hex(mask)}`}] ${meant}`;
    lines += mask === '' ? '\n' : ', masked\n';
  }
  return lines;
}

/** Writes the lengths of frames as they now are. */
export function framed(text: string): string {
  return text.replace(
    /^\[81 \?(.*?)\] (\{.*\})(, masked)?$/gm,
    (_, mask: string, payload: string, masked = '') => {
      const { length } = payload;
      const flag = masked === '' ? 0 : 0x80;
      return (
        '[81 ' +
        `${hex(
          String.fromCharCode(...(length < 126 ? [flag | length] : [flag | 126, length >> 8, length & 255])),
        )}` +
        `${mask}] ${payload}${masked}`
      );
    },
  );
}

/** The key of the standard's own examples (RFC 6455, section 5.7). */
const maskKey = '\x37\xfa\x21\x3d';

/** A client's frame of less than 126 bytes (RFC 6455, section 5.3). */
export function maskedFrame(opcode: number, payload: string): string {
  return `${String.fromCharCode(
    0x80 | opcode,
    0x80 | payload.length,
  )}${maskKey}${unmasked(payload, maskKey)}`;
}

function unmasked(text: string, mask: string): string {
  return Array.from(text, (character, i) =>
    String.fromCharCode(character.charCodeAt(0) ^ mask.charCodeAt(i % 4)),
  ).join('');
}

function hex(text: string): string {
  return Array.from(text, (character) => character.charCodeAt(0).toString(16).padStart(2, '0')).join(' ');
}
