const rememberedMax = 2000;

/** The newest of a bounded number of answers, each for a time. */
export class TtlCache<T> {
  readonly #answers = new Map<string, { readonly answer: T; readonly until: number }>();

  get(key: string, now: number): T | undefined {
    const known = this.#answers.get(key);
    return known !== undefined && known.until > now ? known.answer : undefined;
  }

  set(key: string, answer: T, until: number): void {
    this.#answers.delete(key);
    this.#answers.set(key, { answer, until });
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > rememberedMax && oldest !== undefined) this.#answers.delete(oldest);
  }
}
