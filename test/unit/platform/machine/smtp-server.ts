import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';

export interface ReceivedMail {
  readonly recipients: readonly string[];
  /** The message as it came, headers and body. */
  readonly source: string;
}

export interface SmtpServer {
  readonly url: string;
  readonly mails: ReceivedMail[];
  close(): Promise<void>;
}

/** An SMTP server that keeps what it gets; `answers` replaces its answer to a command, `null` never answers it. */
export async function startSmtpServer(answers: Readonly<Record<string, string | null>> = {}): Promise<SmtpServer> {
  const mails: ReceivedMail[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => socket.destroy()));
    converse(socket, mails, answers);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `smtp://127.0.0.1:${port}`,
    mails,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

const ending = '\r\n.\r\n';

function converse(socket: Socket, mails: ReceivedMail[], answers: Readonly<Record<string, string | null>>): void {
  let recipients: string[] = [];
  let buffered = '';
  let receiving = false;
  const answer = (command: string, usual: string) => {
    const text = answers[command] === undefined ? usual : answers[command];
    if (text !== null) socket.write(`${text}\r\n`);
  };
  const obey = (line: string) => {
    const command = line.slice(0, 4).toUpperCase();
    if (command === 'RCPT') recipients.push(/<(.*)>/.exec(line)?.[1] ?? '');
    if (command === 'DATA') receiving = true;
    answer(command, command === 'DATA' ? '354 go on' : '250 ok');
  };
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    buffered += chunk;
    for (;;) {
      const separator = receiving ? ending : '\r\n';
      const end = buffered.indexOf(separator);
      if (end < 0) return;
      const text = buffered.slice(0, end);
      buffered = buffered.slice(end + separator.length);
      if (!receiving) obey(text);
      else {
        receiving = false;
        mails.push({ recipients, source: text });
        recipients = [];
        answer('ACCEPT', '250 accepted');
      }
    }
  });
  answer('GREETING', '220 test');
}
