// Reads the example files of the reference pages: in each a comment that says what it shows, and the file
// itself.

import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fenced } from './markdown.ts';

const folder = new URL('./examples/', import.meta.url);

/** `section` is the second word of its name: `servers` of `scenario-servers.yaml`. */
export type Example = { file: string; section: string; says: string; yaml: string };

/** The examples of one kind of file, by their names. */
export function examplesOf(kind: 'scenario' | 'target'): Example[] {
  return readdirSync(folder)
    .filter((file) => file.startsWith(`${kind}-`))
    .sort()
    .map((file) => {
      const text = readFileSync(new URL(file, folder), 'utf8');
      const [, says = '', yaml = ''] = /^# (.*)\n([\s\S]*)$/.exec(text) ?? [];
      return { file, section: basename(file, '.yaml').split('-')[1]!, says, yaml };
    });
}

/** The parts of a page that show an example. */
export function shown({ says, yaml }: Example): string[] {
  return [says, fenced('yaml', yaml)];
}
