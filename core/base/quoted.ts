// Quotes a word for a shell, where it needs that, so that a command can be shown and repeated.

export function quoted(word: string): string {
  return /^[\w@%+=:,./ -]+$/.test(word) && (!word.includes(' ') || word.startsWith('npm '))
    ? word
    : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
