// Spells a secret in the usual ways, as encoders of JSON, URLs, forms and HTML do. The caller ignores case.
// Base64 and hex are not among them, as their output depends on the bytes before the secret.

/** Bytes, as a string of characters up to 255. */
export function spellingsOf(value: string): string[] {
  const utf8 = bytesOf(value);
  const texts = [
    value,
    ...jsonTexts(value),
    encodeURIComponent(value.toWellFormed()),
    encodeURI(value.toWellFormed()),
    new URLSearchParams([['', value]]).toString().slice(1),
    [...utf8].map((byte) => `%${hex(byte, 2)}`).join(''),
    ...htmlTexts(value),
    value.replaceAll("'", String.raw`'\''`), // for a shell
    value.replaceAll("'", "''"), // in YAML
  ];
  const bytes = texts.map(bytesOf);
  if (/^[\0-\xff]*$/.test(value)) bytes.push(value); // in Latin-1
  return [...new Set(bytes)];
}

/** UTF-8. */
function bytesOf(text: string): string {
  return Buffer.from(text).toString('latin1');
}

function jsonTexts(value: string): string[] {
  const plain = JSON.stringify(value).slice(1, -1);
  const units = Array.from({ length: value.length }, (_, i) => `\\u${hex(value[i]!, 4)}`);
  const beyond = (pattern: RegExp) =>
    Array.from({ length: value.length }, (_, i) =>
      pattern.test(value[i]!) ? units[i]! : JSON.stringify(value[i]!).slice(1, -1),
    ).join('');
  return [
    plain,
    plain.replaceAll('/', '\\/'),
    beyond(/[^\0-\x7f]/),
    beyond(/[^\0-\x7f]/).replaceAll('/', '\\/'),
    beyond(/[^\0-\x7f]|[<>&'"+]/),
    units.join(''),
  ];
}

function htmlTexts(value: string): string[] {
  const named: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  const escaped = (apostrophe: string) => value.replace(/[&<>"']/g, (one) => named[one] ?? apostrophe);
  const points = [...value].map((one) => one.codePointAt(0)!);
  return [
    value.replace(/[&<>]/g, (one) => named[one]!),
    escaped("'"),
    escaped('&#39;'),
    escaped('&#x27;'),
    escaped('&apos;'),
    escaped('&#039;').replaceAll('&quot;', '&#34;'),
    points.map((point) => `&#${point};`).join(''),
    points.map((point) => `&#x${point.toString(16)};`).join(''),
  ];
}

/** Of one UTF-16 unit. */
function hex(unit: string, digits: number): string {
  return unit.charCodeAt(0).toString(16).padStart(digits, '0');
}
