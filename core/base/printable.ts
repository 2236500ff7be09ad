// Makes text harmless for a terminal and for the log of a CI job. Names of scenarios and files, answers of a
// target and results of somebody else may hold escape sequences that move the cursor, set a title or answer
// for the user, and lines that a CI runner takes for its commands.

/** Control characters but tab and line feed, line separators, and what turns the direction of text. */
const harmful = /[^\P{Cc}\t\n]|[\u2028\u2029\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu;

/** Text of several lines, with pictures in the place of control characters. */
export function printable(text: string): string {
  return withoutCommands(text.replace(harmful, picture));
}

/** Text for one line, such as a name in a table. */
export function oneLine(text: string): string {
  return withoutCommands(text.replace(/[\t\n\r]+/g, ' ').replace(harmful, picture));
}

/** A value whose texts are all on one line and printable. Parts that are so already stay the same objects. */
export function oneLineTexts<T>(value: T): T {
  return cleaned(value) as T; // the same shape: texts become texts
}

function cleaned(value: unknown): unknown {
  if (typeof value === 'string') return oneLine(value);
  if (Array.isArray(value)) {
    const own = value.map(cleaned);
    return own.every((one, i) => one === value[i]) ? value : own;
  }
  if (typeof value !== 'object' || value === null) return value;
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  const given = Object.entries(value);
  const own = given.map(([name, one]) => [oneLine(name), cleaned(one)] as const);
  const same = own.every(([name, one], i) => name === given[i]![0] && one === given[i]![1]); // as many
  return same ? value : Object.fromEntries(own);
}

/**
 * Takes apart what GitHub's runner would act upon: `::error::` at the beginning of a line, `##[group]`
 * anywhere. https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
 */
export function withoutCommands(text: string): string {
  // The runner skips white space of all alphabets at the beginning of a line.
  return text.replace(/^([^\S\n]*):(?=:)/gm, '$1: ').replace(/##(?=\[)/g, '# #');
}

/** JSON without control characters and commands in its texts; it reads back as the same value. */
export function printableJson(value: unknown, indent?: number): string {
  const escaped = (one: string) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(value, null, indent).replace(/(?!\n)[^\P{Cc}]|#(?=#\[)/gu, escaped);
}

function picture(character: string): string {
  const code = character.charCodeAt(0);
  return code < 0x20 ? String.fromCharCode(0x2400 + code) : code === 0x7f ? '\u2421' : '\uFFFD';
}
