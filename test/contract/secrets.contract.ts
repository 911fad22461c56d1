import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Secrets } from '#shared/platform/ports';

export interface OpenSecrets {
  readonly secrets: Secrets;
  close(): Promise<void>;
}

/** What every adapter of the Secrets port promises. */
export function secretsContract(name: string, open: () => Promise<OpenSecrets>): void {
  describe(`secrets: ${name}`, () => {
    let opened: OpenSecrets;
    let secrets: Secrets;
    beforeAll(async () => {
      opened = await open();
      secrets = opened.secrets;
    });
    afterAll(() => opened.close());
    const newName = (): string => `contract/${randomUUID()}`;

    it('gives back what was put', async () => {
      const secret = newName();
      const value = '{"apiKey":"Zürich 🚀","secret":"\\n\\"-----BEGIN"}';
      await secrets.put(secret, value);
      expect(await secrets.get(secret)).toBe(value);
    });

    it('gives undefined for a secret that does not exist', async () => {
      expect(await secrets.get(newName())).toBeUndefined();
    });

    it('replaces a value', async () => {
      const secret = newName();
      await secrets.put(secret, 'old');
      await secrets.put(secret, 'new');
      expect(await secrets.get(secret)).toBe('new');
    });

    it('keeps secrets apart', async () => {
      const [one, other] = [newName(), newName()];
      await secrets.put(one, '1');
      await secrets.put(other, '2');
      expect([await secrets.get(one), await secrets.get(other)]).toEqual(['1', '2']);
    });

    it('creates a secret once and tells which value is stored', async () => {
      const secret = newName();
      expect(await secrets.create(secret, 'first')).toBe('first');
      expect(await secrets.create(secret, 'second')).toBe('first');
      expect(await secrets.get(secret)).toBe('first');
    });

    it('gives all who create at the same time the same value', async () => {
      const secret = newName();
      const values = await Promise.all(['a', 'b', 'c', 'd'].map((value) => secrets.create(secret, value)));
      expect(new Set(values)).toEqual(new Set([await secrets.get(secret)]));
    });

    it('forgets a deleted secret', async () => {
      const secret = newName();
      await secrets.put(secret, 'old');
      await secrets.delete(secret);
      expect(await secrets.get(secret)).toBeUndefined();
    });

    it('deletes what does not exist without complaint', async () => {
      await secrets.delete(newName());
    });

    it('keeps a value of 64 KB', async () => {
      const [secret, value] = [newName(), 'x'.repeat(65_536)];
      await secrets.put(secret, value);
      expect(await secrets.get(secret)).toBe(value);
    });
  });
}
