// Makes HTML of tagged templates, which escape everything they are given except what is markup already.

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

/**
 * Text is escaped, markup is left as it is, lists are joined, nothing gives nothing. The line ends of the
 * template itself are layout of our source and do not reach the page (see {@link withoutLayout}).
 */
export function html(template: TemplateStringsArray, ...parts: Part[]): Markup {
  const strings = staticParts(template);
  return { markup: strings.reduce((text, next, i) => text + (i > 0 ? render(parts[i - 1]) : '') + next, '') };
}

// A template's static parts are one object however often it is used.
const known = new WeakMap<TemplateStringsArray, readonly string[]>();
/** Stands for what a template is given; no template of ours has the character. */
const hole = '\0';

function staticParts(template: TemplateStringsArray): readonly string[] {
  let parts = known.get(template);
  if (!parts) known.set(template, (parts = withoutLayout(template.join(hole)).split(hole)));
  return parts;
}

/** Elements around whose tags white space is not shown, wherever they may be. */
const blocks =
  'html|head|meta|title|style|script|body|main|nav|header|footer|section|h[1-6]|p|div|ul|ol|li|dl|dt|dd|' +
  'figure|figcaption|details|summary|table|caption|thead|tbody|tr|th|td|form|fieldset|legend|pre|br|hr';
const lineEnd = /\s*\n\s*/g;
const afterBlock = new RegExp(`</?(?:${blocks})(?:\\s[^<>]*)?>$`);
const beforeBlock = new RegExp(`^</?(?:${blocks})[\\s>]`);

/**
 * Makes of each line end, with the white space around it, what a browser shows of it: a space between words
 * and inline elements, nothing beside the tag of a block or before the end of a tag.
 */
function withoutLayout(template: string): string {
  return template.replace(lineEnd, (run, at: number) => {
    const [before, after] = [template.slice(0, at), template.slice(at + run.length)];
    const shown = before !== '' && after !== '' && !/^\/?>/.test(after);
    return shown && !afterBlock.test(before) && !beforeBlock.test(after) ? ' ' : '';
  });
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
