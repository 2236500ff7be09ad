// Prints lines for people. What is in them may come from anywhere, so no control character of it reaches the
// terminal.

import { printable } from '../core/base/printable.ts';

/** On standard output. */
export function print(text: string): void {
  process.stdout.write(`${printable(text)}\n`);
}

/** On standard error. */
export function complain(text: string): void {
  process.stderr.write(`${printable(text)}\n`);
}
