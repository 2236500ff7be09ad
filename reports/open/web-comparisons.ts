// Makes comparisons and histories for `pushbench open`: reads those that `ab` stored, and makes those of runs
// when asked for.

import { compare } from '../../core/comparison/compare-runs.ts';
import { ruleOf } from '../../core/comparison/judge.ts';
import { historyOf, ofOneKind } from '../../core/comparison/history.ts';
import { runSetOf, type RunSet } from '../../core/comparison/run-set.ts';
import type { Archive } from './archive.ts';
import { renderComparisonJunit } from '../comparison/ci.ts';
import { renderComparisonMarkdown } from '../comparison/markdown.ts';
import { documentsOf } from '../export/formats.ts';
import { comparisonForms } from './index-page.ts';
import { nothing, page, wrong, type Answer } from './web-answer.ts';

/**
 * @returns `undefined` when the run is not a comparison, or has no such form
 * @throws UserError when it cannot be read
 */
export async function comparisonFile(
  archive: Archive,
  name: string,
  file: string,
): Promise<Answer | undefined> {
  const form = comparisonForms.find((one) => one === file);
  if (!form) return undefined;
  const stored = await archive.comparison(name);
  if (!stored) return undefined;
  switch (form) {
    case 'comparison.json':
      return { status: 200, mediaType: 'application/json', body: stored.text };
    case 'markdown':
      return { status: 200, mediaType: 'text/markdown', body: renderComparisonMarkdown(stored.comparison) };
    case 'junit':
      return { status: 200, mediaType: 'application/xml', body: renderComparisonJunit(stored.comparison) };
    case 'report.html': {
      const written = await archive.file(name, 'report.html');
      if (written !== undefined) return page(written);
      const [baseline, candidate] = [
        await archive.arm(name, 'baseline'),
        await archive.arm(name, 'candidate'),
      ];
      return rendered(stored.comparison, {
        baseline: baseline ? [baseline] : [],
        candidate: candidate ? [candidate] : [],
      });
    }
    case 'baseline.html':
    case 'candidate.html': {
      const arm = await archive.arm(name, form === 'baseline.html' ? 'baseline' : 'candidate');
      // A page is one document.
      return arm && page((await documentsOf('html', [arm], { interactive: false }))[0]!.text);
    }
  }
}

/** Two runs, the older one as the baseline. @throws UserError when they cannot be compared */
export async function comparedRuns(archive: Archive, names: readonly string[]): Promise<Answer> {
  if (names.length !== 2)
    return wrong(
      400,
      'A comparison needs two runs, and ' +
        (names.length === 0 ? 'none was' : names.length === 1 ? 'one was' : `${names.length} were`) +
        ' selected.',
    );
  const runs = [];
  for (const name of names) {
    const result = await archive.result(name);
    if (!result) return nothing;
    runs.push({ name, result });
  }
  // There are two.
  const [from, to] = runs.sort((a, b) => Date.parse(a.result.createdAt) - Date.parse(b.result.createdAt));
  const comparison = compare(runSetOf(from!.name, [from!.result]), runSetOf(to!.name, [to!.result]), {
    createdAt: new Date(),
    rule: ruleOf({ strict: false }),
  });
  return rendered(comparison, { baseline: [from!.result], candidate: [to!.result] });
}

/** How a scenario's figures went over the listed runs. @throws UserError when one cannot be read */
export async function scenarioHistory(archive: Archive, scenario: string): Promise<Answer> {
  const { runs } = await archive.list();
  const sets: RunSet[] = [];
  const cut: string[] = [];
  for (const run of runs) {
    if (run.status !== 'read' || run.scenario !== scenario) continue;
    if (!run.whole) {
      cut.push(run.name);
      continue;
    }
    const result = await archive.result(run.name);
    if (result) sets.push(runSetOf(run.name, [result]));
  }
  const [first, ...others] = sets;
  if (!first) return nothing;
  return page(
    await (
      await import('../history/page.ts')
    ).renderHistoryPage(
      // Measured runs alone, where there are any.
      historyOf(ofOneKind([first, ...others], false).sets, cut),
      first.pushbench,
    ),
  );
}

/** Drawing takes a while to load. */
async function rendered(
  ...of: Parameters<typeof import('../comparison/page.ts').renderComparisonPage>
): Promise<Answer> {
  return page(await (await import('../comparison/page.ts')).renderComparisonPage(...of));
}
