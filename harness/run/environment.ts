// Reads where a run takes place: what a reader needs to judge its figures and to compare it with another.

import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem, type, version } from 'node:os';
import { basename, dirname } from 'node:path';
import type { Environment } from '../../core/result/result.ts';
import { runAtOnce } from '../process/child.ts';
import { descriptorLimit } from '../process/probe.ts';

const gitLimitMs = 10_000;

export function readEnvironment(): Environment {
  return {
    os: osName(),
    kernel: release(),
    cpu: cpus()[0]?.model.trim() || 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    node: process.version,
    descriptorLimit: descriptorLimit('self') ?? null,
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
