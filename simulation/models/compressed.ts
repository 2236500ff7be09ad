// Says what a model that counts bytes leaves out where they are compressed.

export function compressed(isCompressed: boolean): string[] {
  return isCompressed ? ['how much compression saves: bytes are those without it'] : [];
}
