// Reads a target file and everything that it refers to: the environment, its
// authority, the process to sample.

import { dirname, resolve } from 'node:path';
import { readText } from '../../core/base/read-file.ts';
import { accessOf, hostsOf, notesOn } from '../../core/target/access.ts';
import { parseTarget } from '../../core/target/file.ts';
import { findProcess } from '../process/process-tree.ts';
import type { PreparedTarget } from './target-peer.ts';

type Variables = Readonly<Record<string, string | undefined>>;

const code = 'target-file';

/**
 * @param file its path; what it names is looked for beside it
 * @throws UserError `target-file`, `target`, `target-environment`, `target-ca`, `target-process`
 */
export function openTarget(file: string, env: Variables): PreparedTarget {
  const text = readText(file, 'target', { code, what: `Cannot read the target file ${file}` });
  return targetOf(text, file, dirname(file), env);
}

/**
 * A target by its text, which need not be in a file.
 * @param file what messages call it
 * @param folder where files that it names are looked for
 * @throws UserError as `openTarget`
 */
export function targetOf(text: string, file: string, folder: string, env: Variables): PreparedTarget {
  const target = parseTarget(text, file);
  const beside = (kind: 'authority' | 'pid') => (path: string) =>
    readText(resolve(folder, path), kind, {
      code,
      what: `Cannot read ${path}, which the target file ${file} names`,
    });
  const access = accessOf(target, file, env, beside('authority'));
  const pid = target.process && findProcess(target.process, beside('pid'));
  return {
    name: target.name,
    url: target.url,
    access,
    hosts: hostsOf(target),
    pid,
    notes: notesOn(access, file),
  };
}
