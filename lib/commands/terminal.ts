/** Where a command speaks with a person. */
export interface Terminal {
  /** Whether a person can answer. */
  readonly isInteractive: boolean;
  say(text: string): void;
  ask(question: string): Promise<string>;
}

/** Asks a question that is answered by yes or no; no answer is a no. */
export const confirm = async (terminal: Terminal, question: string): Promise<boolean> =>
  /^y(es)?$/i.test((await terminal.ask(`${question} [y/N] `)).trim());
