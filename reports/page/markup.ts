// HTML as tagged templates that escape everything they are given, except what is markup already.

export type Markup = { readonly markup: string };
type Part = Markup | string | number | null | undefined | false | readonly Part[];

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character]!);
}

/** Text is escaped, markup stands as it is, lists are joined, nothing gives nothing. */
export function html(strings: TemplateStringsArray, ...parts: Part[]): Markup {
  return { markup: strings.reduce((text, next, i) => text + (i > 0 ? render(parts[i - 1]) : '') + next, '') };
}

/** Markup that came from a renderer of ours and not from data. */
export function raw(markup: string): Markup {
  return { markup };
}

/** JSON that may stand within a script element. */
export function scriptJson(value: unknown): Markup {
  const unsafe: Readonly<Record<string, string>> = {
    '<': String.raw`\u003c`,
    '\u2028': String.raw`\u2028`,
    '\u2029': String.raw`\u2029`,
  };
  return raw(JSON.stringify(value).replace(/[<\u2028\u2029]/g, (character) => unsafe[character]!));
}

function render(part: Part): string {
  if (part === null || part === undefined || part === false) return '';
  if (typeof part === 'string') return escapeText(part);
  if (typeof part === 'number') return String(part);
  return 'markup' in part ? part.markup : part.map(render).join('');
}
