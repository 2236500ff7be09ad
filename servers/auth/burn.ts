// Burns the CPU that checking a token is said to cost. It does work, a key derivation, and not time: a busy
// machine takes longer over it, as it would over a real check.

import { pbkdf2Sync } from 'node:crypto';

const tries = 7;
const triedIterations = 2000;
const salt = 'pushbench';

function derive(token: string, iterations: number): void {
  pbkdf2Sync(token, salt, iterations, 32, 'sha256');
}

/**
 * Measures this machine for some milliseconds.
 * @returns does work on the event loop that takes `takesMs` of an undisturbed core
 */
export function calibratedBurn(takesMs: number): (token: string) => void {
  if (takesMs === 0) return () => {};
  let bestMs = Infinity;
  // The shortest is the one that nobody interrupted.
  for (let i = 0; i < tries; i++) {
    const fromMs = performance.now();
    derive(String(i), triedIterations);
    bestMs = Math.min(bestMs, performance.now() - fromMs);
  }
  const iterations = Math.max(1, Math.round((takesMs / bestMs) * triedIterations));
  return (token) => derive(token, iterations);
}
