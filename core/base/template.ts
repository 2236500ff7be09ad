// Fills in templates: texts with placeholders in braces, such as `/events/{topic}`.

const placeholder = /(?<!\$)\{(\w+)\}/g;

/** A template's placeholders, in order. `${NAME}` is not one: it stands for a variable of the environment. */
export function placeholdersIn(template: string): string[] {
  return [...template.matchAll(placeholder)].map((match) => match[1]!);
}

/** Puts values in for placeholders; the environment's variables must be gone by then. */
export function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(placeholder, (whole, name: string) => values[name] ?? whole);
}

/** Puts the same value in for every placeholder. */
export function fillEach(template: string, value: string): string {
  return template.replace(placeholder, () => value);
}

/** Checks that a template has no placeholders but `names`, with the message for one that has. */
export function onlyPlaceholders(names: readonly string[]) {
  return {
    test: (template: string) => placeholdersIn(template).every((name) => names.includes(name)),
    error:
      `here only ${names.map((name) => `{${name}}`).join(', ')} can be ` +
      'filled in, and ${NAME} from the environment',
  };
}
