import { startSystem } from './system.ts';
import { figure, printTable, quantile } from './table.ts';

/** Of a network, the first twenty failures cost no wait; a login that succeeds gives one back. */
const perServer = 8;
const quantiles = [0.1, 0.5, 0.9] as const;

type Ask = (email: string, password: string) => Promise<number>;

/** Milliseconds until the answer to a login, which has to be of this status. */
const asker =
  (base: string, status: number): Ask =>
  async (email, password) => {
    const startedAt = performance.now();
    const answer = await fetch(new URL('/api/user/login', base), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email, password }),
    });
    await answer.text();
    if (answer.status !== status) throw new Error(`A login was answered with ${answer.status}, not ${status}`);
    return performance.now() - startedAt;
  };

/** Login of known and unknown users: what a client that guesses mail addresses can measure. */
export const benchLogin = async (quick: boolean): Promise<void> => {
  const right: number[] = [];
  const wrong: number[] = [];
  const unknown: number[] = [];
  // Failures are counted in the store, so that each round has a new one.
  for (let round = 0; round < (quick ? 2 : 6); round++) {
    const system = await startSystem(['--venue', 'sim'], { ALPHAPULSE_REQUEST_LIMIT_FACTOR: '1000000' });
    try {
      const { base, email, password } = system;
      const [succeeds, fails] = [asker(base, 200), asker(base, 401)];
      await succeeds(email, password);
      for (let index = 0; index < perServer; index++) {
        const guesses = [
          async () => wrong.push(await fails(email, 'not the password of anybody')),
          async () => unknown.push(await fails(`nobody-${index}@example.com`, 'not the password of anybody')),
        ];
        // By turns, so that neither always comes after the same.
        for (const guess of index % 2 === 0 ? guesses : guesses.reverse()) await guess();
        right.push(await succeeds(email, password));
      }
    } finally {
      await system.remove();
    }
  }
  const row = (name: string, times: readonly number[]) => [
    name,
    String(times.length),
    ...quantiles.map((part) => figure(quantile(times, part))),
    ...quantiles.map((part) => figure(quantile(times, part) / quantile(wrong, part))),
  ];
  printTable(
    'Login of known and unknown users: milliseconds, and as a ratio to a wrong password',
    ['', 'logins', ...quantiles.map((part) => `p${part * 100}`), ...quantiles.map((part) => `p${part * 100} ratio`)],
    [row('known, wrong password', wrong), row('unknown address', unknown), row('known, right password', right)],
  );
};
