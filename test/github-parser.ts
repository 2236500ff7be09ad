// Loads GitHub's own parser of workflows and actions, which says what is wrong with one.

import { registerHooks } from 'node:module';

export type GithubParser = (kind: 'workflow' | 'action', content: string) => string[];

export async function loadGithubParser(): Promise<GithubParser> {
  // It was made for bundlers: its imports of JSON do not say that they are.
  const hooks = registerHooks({
    resolve(specifier, context, nextResolve) {
      const found = nextResolve(specifier, context);
      return specifier.endsWith('.json') ? { ...found, importAttributes: { type: 'json' } } : found;
    },
  });
  const { NoOperationTraceWriter, parseWorkflow } = await import('@actions/workflow-parser');
  const { parseAction } = await import('@actions/workflow-parser/actions/action-parser');
  hooks.deregister();
  const trace = new NoOperationTraceWriter();
  return (kind, content) =>
    (kind === 'workflow' ? parseWorkflow : parseAction)({ name: kind, content }, trace)
      .context.errors.getErrors()
      .map(({ message }) => message);
}
