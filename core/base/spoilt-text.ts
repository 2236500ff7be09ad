// Recognises files of ours that version control has put something else into: marks of a merge, or a pointer
// to where the file is.

/**
 * What stands in the place of the JSON, and what to do about it.
 * @param file what to call it
 * @returns nothing where it is neither
 */
export function spoiltByGit(text: string, file: string): string | undefined {
  if (text.startsWith('version https://git-lfs.github.com/spec/'))
    return (
      `${file} is a pointer of Git LFS and not the file itself. Get that with: git lfs pull ` +
      `--include=${JSON.stringify(file)} (in GitHub's actions/checkout: lfs: true).`
    );
  if (/^<{7} /m.test(text) && /^>{7} /m.test(text))
    return (
      `${file} holds the marks of a merge that nobody has resolved (<<<<<<<). Take one side, ` +
      `git checkout --ours ${file} or git checkout --theirs ${file}, or make the file again.`
    );
  return undefined;
}

/** Without the byte-order mark that some editors and shells put before a text. */
export function withoutMark(text: string): string {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}
