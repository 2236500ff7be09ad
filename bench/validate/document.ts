// Writes the text of docs/validation.md from the figures that are kept of each part. Pure.

import type { Kept } from './part.ts';

/** @param parts by name, in the order of the page, `undefined` for one of which no figures are kept */
export function validationPage(parts: Readonly<Record<string, Kept | undefined>>): string {
  const all = Object.entries(parts);
  const claims = all.flatMap(([, kept]) => kept?.claims ?? []);
  const missing = all.filter(([, kept]) => kept === undefined).length;
  const minutes = Math.ceil(all.reduce((sum, [, kept]) => sum + (kept?.seconds ?? 0), 0) / 60);
  return `# Validation

Is the instrument right? Every figure on this page was measured and written here by \`npm run validate\`\
${missing === 0 ? `, about ${minutes} minutes on an idle machine` : ''}. \
\`npm run validate -- --only NAME\` repeats one part and \
leaves the others as they are. How a verdict is reached: \
[comparison.md](comparison.md).

**${claims.filter(({ held }) => held).length} of ${claims.length} claims held.**\
${missing === 0 ? '' : ` ${missing} of ${all.length} parts have not run.`}

${all.map(([name, kept]) => section(name, kept)).join('\n\n')}
`;
}

function section(name: string, kept: Kept | undefined): string {
  if (!kept) return `## ${name}\n\nNot run yet: \`npm run validate -- --only ${name}\`.`;
  const { title, claims, markdown, ranAt, seconds, machine, predicted } = kept;
  return `## ${title}

${claims.map(({ text, held }) => `- ${held ? 'Held' : '**Failed**'}: ${text}`).join('\n')}

${markdown}

\`npm run validate -- --only ${name}\`: ${minuteText(ranAt)}, ${seconds} s on ${machine}.\
${predicted ? predictedText(predicted) : ''}`;
}

function predictedText({ at, commit }: NonNullable<Kept['predicted']>): string {
  return ` Predicted again, from the same measurements: ${minuteText(at)}, commit ${commit}.`;
}

function minuteText(at: string): string {
  return `${at.slice(0, 16).replace('T', ' ')} UTC`;
}
