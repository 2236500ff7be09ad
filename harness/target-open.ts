// Reads a target file and everything that it refers to: the environment, its authority, the process to sample.

import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { messageOf, UserError } from '../core/errors.ts';
import { accessOf, hostsOf } from '../core/target-access.ts';
import { parseTarget } from '../core/target-file.ts';
import { findProcess } from './process-tree.ts';
import type { PreparedTarget } from './target.ts';

/**
 * @param file its path; what it names is looked for beside it
 * @throws UserError `target-file`, `target`, `target-environment`, `target-ca`, `target-process`
 */
export function openTarget(file: string, env: Readonly<Record<string, string | undefined>>): PreparedTarget {
  const target = parseTarget(readText(file, `Cannot read the target file ${file}`), file);
  const beside = (path: string) => readText(resolve(dirname(file), path), `Cannot read ${path}, which the target file ${file} names`);
  const access = accessOf(target, file, env, beside);
  const pid = target.process && findProcess(target.process, beside);
  return { name: target.name, url: target.url, access, hosts: hostsOf(target), pid };
}

function readText(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserError('target-file', `${what}: ${messageOf(error)}.`);
  }
}
