// Reads where a run takes place: what a reader needs to judge its figures and to compare it with another.

import { readFileSync } from 'node:fs';
import { cpus, release, totalmem, type, version } from 'node:os';
import { basename, dirname } from 'node:path';
import type { Environment } from '../../core/result/result.ts';
import { runAtOnce } from '../process/child.ts';
import { thisMachine, type Machine } from './machine.ts';

const gitLimitMs = 10_000;

/** @param programs that trials start beside our own processes, with their versions */
export function readEnvironment(
  machine: Machine = thisMachine(),
  programs: readonly string[] = [],
): Environment {
  const { cores, quotaCores, memoryLimitBytes, descriptorLimit, loopback, hasProc = true } = machine;
  return {
    os: osName(),
    kernel: release(),
    cpu: cpus()[0]?.model.trim() || 'unknown',
    cores,
    ...(quotaCores !== undefined && { quotaCores }),
    memoryBytes: totalmem(),
    ...(memoryLimitBytes !== undefined && { memoryLimitBytes }),
    ...(loopback === '::1' && { loopback }),
    ...(!hasProc && { noProc: true }),
    node: process.version,
    ...(programs.length > 0 && { programs: [...programs] }),
    descriptorLimit: descriptorLimit ?? null,
    commit: commitOf(import.meta.filename),
  };
}

function osName(): string {
  try {
    const match = /^PRETTY_NAME="?([^"\n]+)/m.exec(readFileSync('/etc/os-release', 'utf8'));
    if (match) return match[1]!;
  } catch {
    // Not Linux, or a container without the file.
  }
  return `${type()} ${version()}`;
}

/**
 * The commit of the checkout that a file is of, with `+` when it has changes; null where git does not know
 * the file, as in an installed package.
 */
export function commitOf(file: string): string | null {
  const git = (...args: string[]) => runAtOnce('git', args, { cwd: dirname(file), timeoutMs: gitLimitMs });
  try {
    // A package installed below somebody's repository must not name that repository's commit.
    if (git('ls-files', '--', basename(file)) === '') return null;
    return (
      git('rev-parse', '--short', 'HEAD') +
      (git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '+')
    );
  } catch {
    return null;
  }
}
