// Checks code of the documentation with strict TypeScript, as the projects do that it is pasted into.
// JavaScript too, since it is pasted there as well.

import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Block } from './blocks.ts';

/** What users import is here without being installed. */
const paths = {
  pushbench: [resolve('api/index.ts')],
  'pushbench/receiver': [resolve('receiver/index.ts')],
  '@pushbench/receiver': [resolve('receiver/index.ts')],
};

/**
 * @param folder an empty one
 * @returns what the compiler says; empty where all is well
 */
export function typeProblems(blocks: readonly Block[], folder: string): string {
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: resolve('tsconfig.json'),
      compilerOptions: {
        paths,
        typeRoots: [resolve('node_modules/@types')],
        // A block without imports is a module too, and need not use all that it is given.
        moduleDetection: 'force',
        noUnusedLocals: false,
        noUnusedParameters: false,
        // Of the sources that blocks on our own code import.
        allowImportingTsExtensions: true,
        rewriteRelativeImportExtensions: false,
      },
      include: ['**/*'],
    }),
  );
  for (const block of blocks) writeBlock(block, folder);
  const { status, stdout, stderr } = spawnSync(
    resolve('node_modules/.bin/tsc'),
    ['--project', folder, '--pretty', 'false'],
    { encoding: 'utf8' },
  );
  return status === 0 ? '' : `${stdout}${stderr}` || `tsc ended with ${status}`;
}

/** Blocks of one page are files of one folder, so that they find one another. */
function writeBlock({ file, line, language, title, text }: Block, folder: string): void {
  const name = title ?? `line-${line}.${language}`;
  const path = join(folder, file.replaceAll('/', '-'), name.replace(/\.m?js$/, '.mts'));
  mkdirSync(dirname(path), { recursive: true });
  // Relative to the page is relative to the repository.
  const source = text.replaceAll(
    /from '(\.\.\/[^']+)'/g,
    (_, to: string) => `from '${resolve(dirname(file), to)}'`,
  );
  writeFileSync(path, source);
}
