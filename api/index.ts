// Exports what programs import from 'pushbench': run, simulate and compare, with their types.

export { compare, type CompareInput, type ComparisonOutcome, type Side } from './compare.ts';
export type { Changes, FileContents } from './inputs.ts';
export type { Outcome } from './outcome.ts';
export type { Progress } from './progress.ts';
export { run, simulate, type RunInput, type SimulateInput } from './run.ts';
export { UserError } from '../core/base/errors.ts';
export type { Comparison } from '../core/comparison/comparison-result.ts';
export type { Expectation, Result } from '../core/result/result.ts';
export type { TrialFigure, TrialFigures } from '../core/result/trial-figures.ts';
