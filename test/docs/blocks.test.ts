// Walks every code block of README and documentation: scenarios and targets are read, commands are parsed,
// code is type-checked. Whatever else a block is, it says that it only illustrates.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'vitest';
import { decodeEnvelope } from '../../core/event/envelope.ts';
import { temporaryFolder } from '../cli/tools.ts';
import { loadGithubParser } from '../github-parser.ts';
import { blocksOf, pages, placeOf, type Block } from './blocks.ts';
import { checkMention, checkShell } from './shell-blocks.ts';
import { typeProblems } from './typed-blocks.ts';
import { checkYaml } from './yaml-blocks.ts';

const all = pages.flatMap(blocksOf);
/** What a process prints, a file of somebody else, a drawing; or code that is marked so. */
const illustrates = ({ language, mark }: Block) => ['', 'text'].includes(language) || mark === 'illustration';
const checked = ['yaml', 'sh', 'ts', 'js', 'json'];
const inLanguage = (...languages: string[]) =>
  all.filter((block) => languages.includes(block.language) && !illustrates(block));

/** What is wrong with the blocks, each with its place. */
async function problemsOf(
  blocks: readonly Block[],
  check: (block: Block) => void | Promise<void>,
): Promise<string[]> {
  const problems: string[] = [];
  for (const block of blocks) {
    try {
      await check(block);
    } catch (error) {
      problems.push(`${placeOf(block)}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return problems;
}

test('every block is in a language that is checked, or says that it illustrates', () => {
  const unknown = all
    .filter((block) => !illustrates(block) && !checked.includes(block.language))
    .map((block) => `${placeOf(block)}: ${block.language}`);
  assert.deepEqual(unknown, [], 'what illustrates is ```text, or has "illustration" behind its language');
  assert.deepEqual(
    all.filter(({ mark }) => mark !== '' && mark !== 'illustration').map(placeOf),
    [],
    'only the word "illustration" stands behind a language',
  );
});

test('YAML is read by the project, a part of a scenario within the scenario of the README', async () => {
  const blocks = inLanguage('yaml');
  assert.ok(blocks.length > 30);
  const github = await loadGithubParser();
  assert.deepEqual(await problemsOf(blocks, ({ text }) => checkYaml(text, github)), []);
});

test('commands exist, and take the options and arguments that they are given', async () => {
  const blocks = inLanguage('sh');
  assert.ok(blocks.length > 15);
  const titlesOn = (page: string) => blocksOf(page).flatMap(({ title }) => title ?? []);
  assert.deepEqual(await problemsOf(blocks, ({ file, text }) => checkShell(text, titlesOn(file))), []);
});

test('commands in sentences exist, and have the options that they are given', async () => {
  const mention = /`(?:npm start (?:-s )?-- |(?:npx )?pushbench )([a-z][^`\n]*)`/g;
  const mentions = pages.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(mention)].map(([, text]) => ({ file, text: text! })),
  );
  assert.ok(mentions.length > 60);
  const problems = mentions.flatMap(({ file, text }) => {
    try {
      checkMention(text);
      return [];
    } catch (error) {
      return [`${file}: ${text}: ${error instanceof Error ? error.message : String(error)}`];
    }
  });
  assert.deepEqual(problems, []);
});

test('code passes strict TypeScript', (t) => {
  // A client on the page of a pattern is for the console of a browser; another test runs it.
  const blocks = inLanguage('ts', 'js').filter(({ file }) => !file.startsWith('docs/patterns/'));
  assert.ok(blocks.length > 15);
  assert.equal(typeProblems(blocks, temporaryFolder(t)), '');
});

test('JSON is JSON, and an event is one', async () => {
  const blocks = inLanguage('json');
  const check = ({ text }: Block) => {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && 'seq' in value) decodeEnvelope(text.trim());
  };
  assert.ok(blocks.length > 0);
  assert.deepEqual(await problemsOf(blocks, check), []);
});

describe('each check finds a mistake', () => {
  test('in a command', async () => {
    for (const [text, says] of [
      ['npm start -- run compare --sett x=1', /unknown option '--sett'/],
      ['npx pushbench run compair', /no scenario called "compair"/],
      ['pushbench run compare --set subscriberz=1', /subscriberz/],
      ['pushbench compare results/one', /missing required argument/],
      ['pushbench bisect v1 HEAD -- node server.js', /--target/],
      ['pushbench report results/one --format pdf', /pdf/],
      ['pushbench serve carrier-pigeon', /carrier-pigeon/],
      ['pushbench run [options] <scenario>', /\[options\] \[scenario\]/],
      ['npm run dance', /no script dance/],
      ['npm install pushbench', /registry does not have it/],
      ['npm install ./pushbench-0.0.0.tgz', /npm pack makes no/],
      ['node nowhere.mjs', /there is no file nowhere\.mjs/],
      ['FEED_TOKEN=x frobnicate', /no program that these pages use/],
    ] as const)
      await assert.rejects(checkShell(text, []), says, text);
    await checkShell("TOKEN=x npm start -s -- run compare --set 'variants=[sse]' | jq '.a | .b' # so", []);
    assert.throws(() => checkMention('frobnicate --all'), /no command "frobnicate"/);
    assert.throws(() => checkMention('run compare --all'), /run has no option --all/);
  });

  test('in YAML', async () => {
    const github = await loadGithubParser();
    for (const [text, says] of [
      ['subscribers: many', /subscribers/],
      ['faults:\n  - { at: 5s, kill: 9 }', /kill/],
      ['subscribe: { pigeon: /loft }', /pigeon/],
      ['on: push\njobs: { a: { runs-on: ubuntu-latest, stepz: [] } }', /stepz/],
      ['- uses: ./pushbench\n  with: { begin: node server.js }', /no input begin/],
      ['- run: pushbench run --nothing', /unknown option/],
      ['- { id: x, says: y }', /"path"/],
      ['colour: red', /no file of pushbench has the keys colour/],
    ] as const)
      await assert.rejects(checkYaml(text, github), says, text);
  });

  test('in code', (t) => {
    const block = { file: 'docs/api.md', line: 1, language: 'js', mark: '', title: 'app.mjs' };
    const folder = temporaryFolder(t);
    const text = 'export const paid = 1;\nexport const pay = (id) => id;\n';
    assert.match(typeProblems([{ ...block, text }], folder), /docs-api\.md\/app\.mts\(2,.*TS7006/);
  });
});
