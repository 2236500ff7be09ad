// Runs the command line with a report that is drawn at once, or never: `node --import
// 'test/fake/pages.ts?drawn=never' cli/main.ts ...`. Drawing takes seconds, so with the real page a busy
// machine decides whether it is done before an interrupted run has to end.

import { registerHooks } from 'node:module';

const pages = {
  'at-once': `export const renderHtml = async () => '<!doctype html>\\n';`,
  // The timer keeps the process alive, as drawing would.
  never: 'export const renderHtml = () => new Promise(() => setInterval(() => {}, 1000));',
};
const drawn = new URL(import.meta.url).searchParams.get('drawn');
if (drawn !== 'at-once' && drawn !== 'never') throw new Error(`drawn=${drawn}: give at-once or never`);
const url = `data:text/javascript,${encodeURIComponent(pages[drawn])}`;

registerHooks({
  resolve(specifier, context, nextResolve) {
    const found = nextResolve(specifier, context);
    return found.url.endsWith('/reports/page/report.ts') ? { ...found, url, format: 'module' } : found;
  },
});
