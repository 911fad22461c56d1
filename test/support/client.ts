/** A person's program that talks to the HTTP API: nothing but requests and their answers. */
import type { Alert, NewAlert } from '#shared/alerts/alert';
import type { AuditEntry } from '#shared/audit/entry';
import type { PriceQuote } from '#shared/market/price-quote';
import type { Notification } from '#shared/notifications/notification';
import type { OutboxMail } from '#shared/platform/sqlite/outbox';
import { demoPassword, outboxUrlOf, type ServerProcess } from './server-process.ts';
import { until } from './until.ts';

export interface HttpReply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

type AlertRequest = Pick<NewAlert, 'condition'> & Partial<NewAlert>;

export interface Status {
  readonly status: string;
  readonly components: readonly { readonly name: string; readonly status: string; readonly detail: string }[];
}

const email = 'demo@example.com';
const mostItems = 200;

/** Sends JSON, or what else is given, and reads the answer. */
export const call = async (url: string, init: RequestInit = {}): Promise<HttpReply> => {
  const answer = await fetch(url, init);
  const body = await answer.text();
  const isJson = body !== '' && /json/.test(answer.headers.get('content-type') ?? '');
  return { status: answer.status, headers: answer.headers, body: isJson ? JSON.parse(body) : body };
};

const asJson = (method: string, body: unknown): RequestInit => ({
  method,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

export const logIn = async (url: string, password: string): Promise<HttpReply> =>
  await call(`${url}/api/user/login`, asJson('POST', { email, password }));

export class ApiClient {
  readonly url: string;
  readonly token: string;
  readonly #dataFolder: string;

  /** @param dataFolder of the server, where its outbox is to be read */
  constructor(url: string, token: string, dataFolder = '') {
    this.url = url;
    this.token = token;
    this.#dataFolder = dataFolder;
  }

  /** A client that is logged in as the demo user. */
  static async of({ url }: Pick<ServerProcess, 'url'>, dataFolder: string): Promise<ApiClient> {
    const { body } = await logIn(url, await demoPassword(dataFolder));
    return new ApiClient(url, (body as { accessToken: string }).accessToken, dataFolder);
  }

  async send(method: string, path: string, body?: unknown): Promise<HttpReply> {
    const { headers, ...init } = body === undefined ? { method } : asJson(method, body);
    return await call(this.url + path, { ...init, headers: { ...headers, authorization: `Bearer ${this.token}` } });
  }

  /** @throws where the answer is none of success */
  async get<T>(path: string): Promise<T> {
    return this.#good<T>(await this.send('GET', path));
  }

  async createAlert(alert: AlertRequest): Promise<Alert> {
    return this.#good<Alert>(await this.send('POST', '/api/alerts/create', alert));
  }

  /** Has webhooks sent there. @returns the secret that signs them */
  async useWebhook(webhookUrl: string): Promise<string> {
    const settings = await this.send('PUT', '/api/user/settings', { webhookUrl });
    return this.#good<{ webhookSecret: string }>(settings).webhookSecret;
  }

  alerts = (): Promise<Alert[]> => this.#every<Alert>('/api/alerts/list');
  history = (): Promise<Notification[]> => this.#every<Notification>('/api/alerts/history');
  status = (): Promise<Status> => this.get<Status>('/api/system/status');

  async prices(): Promise<PriceQuote[]> {
    return (await this.get<{ items: PriceQuote[] }>('/api/market/prices')).items;
  }

  /** Waits until this is the last price. */
  async priceIs(symbol: string, last: string): Promise<PriceQuote> {
    return await until(`${symbol} at ${last}`, async () =>
      (await this.prices()).find((price) => price.symbol === symbol && price.last === last),
    );
  }

  /** Waits until there are prices. */
  async anyPrice(): Promise<void> {
    await until('a price', async () => (await this.prices()).length > 0);
  }

  /** The entries of the user's audit trail whose type begins so. */
  async trail(type: string): Promise<AuditEntry[]> {
    return await this.#every<AuditEntry>('/api/user/audit', `&type=${type}`);
  }

  async outbox(): Promise<OutboxMail[]> {
    const { body } = await call(await outboxUrlOf(this.#dataFolder), { headers: { accept: 'application/json' } });
    return (body as { items: OutboxMail[] }).items;
  }

  /** Waits until the outbox holds so many mails, or more. */
  async outboxOf(count: number): Promise<OutboxMail[]> {
    return await until(`${count} mails`, async () => {
      const mails = await this.outbox();
      return mails.length >= count && mails;
    });
  }

  async #every<T>(path: string, filter = ''): Promise<T[]> {
    const items: T[] = [];
    for (let cursor = ''; ; ) {
      const url = `${path}?limit=${mostItems}${filter}${cursor}`;
      const page = await this.get<{ items: T[]; nextCursor: string | null }>(url);
      items.push(...page.items);
      if (page.nextCursor === null) return items;
      cursor = `&cursor=${encodeURIComponent(page.nextCursor)}`;
    }
  }

  #good<T>({ status, body }: HttpReply): T {
    if (status < 200 || status > 299) throw new Error(`${status}: ${JSON.stringify(body)}`);
    return body as T;
  }
}
