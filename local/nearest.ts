/** Most letters that may differ for a word to count as another one mistyped. */
const differencesMax = 2;

/** The known word that this one was probably meant to be. */
export const nearest = (word: string, known: readonly string[]): string | undefined => {
  const ranked = known
    .map((candidate) => ({ candidate, differences: distance(word, candidate) }))
    .filter(({ candidate, differences }) => differences <= Math.min(differencesMax, candidate.length - 1))
    .sort((a, b) => a.differences - b.differences);
  return ranked[0]?.candidate;
};

/** How many letters have to be inserted, removed or replaced to get from one word to the other (Levenshtein). */
const distance = (from: string, to: string): number => {
  let row = Array.from({ length: to.length + 1 }, (_, length) => length);
  for (const [index, letter] of [...from].entries()) {
    const next = [index + 1];
    for (const [position, other] of [...to].entries()) {
      const replaced = (row[position] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[position + 1] ?? 0) + 1, (next[position] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
};
