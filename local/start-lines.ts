import type { DemoLogin } from './demo-login.ts';
import { isLoopback } from './host-check.ts';
import type { Options } from './options.ts';
import type { PriceSource } from './price-source.ts';
import type { Server } from './server.ts';

/** What a server that has started is like. */
export interface Started {
  readonly version: string;
  readonly options: Pick<Options, 'host' | 'proxy'>;
  readonly server: Pick<Server, 'url' | 'webSocketUrl' | 'outboxUrl'>;
  readonly source: Pick<PriceSource, 'description' | 'notes'>;
  readonly login: DemoLogin | undefined;
  readonly corsOrigins: readonly string[];
  readonly dataFolder: string;
  /** Whether a person reads along. What is printed elsewhere is kept in logs, and so never holds a password. */
  readonly isTerminal: boolean;
}

/** The first lines printed: where the server runs, how to log in, and where prices come from. */
export const startLines = (started: Started): string[] => {
  const { version, options, server, source, login, corsOrigins, dataFolder, isTerminal } = started;
  const isOpen = options.proxy === undefined && !isLoopback(options.host);
  const line = (name: string, text: string | undefined): string[] =>
    text === undefined ? [] : [`  ${name.padEnd(10)} ${text}`];
  return [
    `AlphaPulse ${version} runs at ${server.url}`,
    ...line('WebSocket', server.webSocketUrl),
    ...line('Public', options.proxy?.publicUrl),
    ...line('Login', loginText(login, isTerminal)),
    ...line('Prices', source.description),
    ...source.notes.flatMap((note) => line('Recorded', note)),
    ...line('Outbox', server.outboxUrl ?? 'none: a mail server sends the mails'),
    ...line('Web pages', `of ${corsOrigins.join(', ')} may call the API`),
    ...line('Note', isOpen ? 'Other machines can reach this server, without TLS.' : undefined),
    ...line('Data', dataFolder),
  ];
};

const loginText = (login: DemoLogin | undefined, isTerminal: boolean): string => {
  if (login?.file === undefined) return 'your own; the demo user was not made here';
  return login.password === undefined || !isTerminal
    ? `${login.email}, the password is in ${login.file}`
    : `${login.email}, password ${login.password} (kept in ${login.file})`;
};
