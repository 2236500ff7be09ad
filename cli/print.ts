// Prints lines for people. What is in them may come from anywhere, so no control character of it reaches the
// terminal.

import { lineFor } from './terminal.ts';

/** On standard output. */
export function print(text: string): void {
  process.stdout.write(`${lineFor(process.stdout, text)}\n`);
}

/** On standard error. */
export function complain(text: string): void {
  process.stderr.write(`${lineFor(process.stderr, text)}\n`);
}
