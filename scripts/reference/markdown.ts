// Writes the Markdown of the reference pages: tables, code, and a line of contents.

/** What says in every page where it comes from. */
export const generatedNote = '<!-- Written by scripts/reference.ts: npm run reference. -->';

/** A table; what would end a cell or a row is escaped. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), `| ${head.map(() => '---').join(' | ')} |`, ...rows.map(line)].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', String.raw`\|`).replace(/\s*\n\s*/g, ' ');
}

export function code(text: string): string {
  return `\`${text}\``;
}

/** A block of code. */
export function fenced(language: string, text: string): string {
  return `\`\`\`${language}\n${text.trim()}\n\`\`\``;
}

/** Links to the headings of a page. */
export function contents(titles: readonly string[]): string {
  return `Contents: ${titles.map((title) => `[${title}](#${slugOf(title)})`).join(', ')}.`;
}

/** What GitHub calls the place of a heading. */
export function slugOf(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^a-z0-9 _-]/g, '')
    .replaceAll(' ', '-');
}

/** A page of parts, with an empty line between two. */
export function page(title: string, parts: readonly string[]): string {
  return `${[`# ${title}`, generatedNote, ...parts.filter((part) => part !== '')].join('\n\n')}\n`;
}

/** `two, three`, each once. */
export function listedOnce(all: readonly string[], separator = ', '): string {
  return [...new Set(all)].filter((one) => one !== '').join(separator);
}

/** A description as a sentence of its own. */
export function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
