import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { start } from './process.ts';

/** A system on one machine, in its own process and folder. */
export interface System {
  readonly base: string;
  /** The login of its demo user. */
  readonly email: string;
  readonly password: string;
  /** Posts as the application would. @throws {Error} the answer is no success */
  post(path: string, body: object, token?: string): Promise<unknown>;
  /** @returns an access token of the demo user */
  logIn(): Promise<string>;
  stop(): Promise<void>;
  /** Stops it and removes its folder. */
  remove(): Promise<void>;
}

/** Starts a system. @param args further arguments of `npm start` @param env of its process */
export const startSystem = async (args: readonly string[], env: NodeJS.ProcessEnv): Promise<System> => {
  const folder = await mkdtemp(join(tmpdir(), 'alphapulse-bench-'));
  const remove = () => rm(folder, { recursive: true });
  const program = ['bin/local.ts', '--port', '0', '--data', folder, ...args];
  const server = await start(program, /(http:\/\/127\.0\.0\.1:\d+)/, env).catch(async (error: unknown) => {
    await remove();
    throw error;
  });
  const base = server.ready[1] ?? '';
  const login = await readFile(join(folder, 'demo-login.txt'), 'utf8');
  const [email, password] = ['email', 'password'].map((name) => new RegExp(`^${name}: (\\S+)`, 'm').exec(login)?.[1]);
  if (email === undefined || password === undefined) throw new Error('The demo login can not be read');
  const post = async (path: string, body: object, token?: string): Promise<unknown> => {
    const headers = { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) };
    const answer = await fetch(new URL(path, base), { method: 'POST', headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(await answer.text());
    return await answer.json();
  };
  return {
    ...{ base, email, password, post },
    logIn: async () => ((await post('/api/user/login', { email, password })) as { accessToken: string }).accessToken,
    stop: () => server.stop(),
    remove: async () => {
      await server.stop();
      await remove();
    },
  };
};
