import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FileSecrets, SecretsUnreadable } from '#shared/platform/machine/secrets';
import { newFolder } from '../sqlite/folder.ts';

const confidential = 'exchange-api-secret-93f1';

const given = async () => {
  const folder = newFolder();
  const secrets = new FileSecrets(folder);
  await secrets.put('account/1', confidential);
  await secrets.put('account/2', 'another secret');
  return { folder, file: join(folder, 'secrets.json'), keyFile: join(folder, 'secrets.key') };
};

describe('FileSecrets', () => {
  it('keeps secrets over a restart', async () => {
    const { folder } = await given();
    expect(await new FileSecrets(folder).get('account/1')).toBe(confidential);
  });

  it('leaves only files that the owner alone can read, and no value in them', async () => {
    const { folder } = await given();
    const names = await readdir(folder);
    expect(names.sort()).toEqual(['secrets.json', 'secrets.key']);
    for (const name of names) {
      expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
      expect(await readFile(join(folder, name), 'latin1')).not.toContain(confidential);
    }
  });

  it('never writes the same text for the same value', async () => {
    const { folder, file } = await given();
    const before = await readFile(file, 'utf8');
    await new FileSecrets(folder).put('account/1', confidential);
    const textOf = (json: string): unknown => JSON.parse(json).secrets[0].text;
    expect(textOf(await readFile(file, 'utf8'))).not.toBe(textOf(before));
  });

  it('keeps all of many writes at the same time', async () => {
    const { folder } = await given();
    const secrets = new FileSecrets(folder);
    const names = Array.from({ length: 20 }, (_, n) => `many/${n}`);
    await Promise.all(names.map((name) => secrets.put(name, `value of ${name}`)));
    const reopened = new FileSecrets(folder);
    expect(await Promise.all(names.map((name) => reopened.get(name)))).toEqual(names.map((name) => `value of ${name}`));
  });

  it('takes the name of a deleted secret again', async () => {
    const { folder } = await given();
    const secrets = new FileSecrets(folder);
    await secrets.delete('account/1');
    expect(await secrets.create('account/1', 'new')).toBe('new');
    await secrets.delete('account/1');
    await secrets.put('account/1', 'newer');
    expect(await secrets.get('account/1')).toBe('newer');
  });

  it('removes a deleted secret from the file', async () => {
    const { folder, file } = await given();
    await new FileSecrets(folder).delete('account/1');
    expect(await readFile(file, 'utf8')).not.toContain('account/1');
  });

  const damages: [string, (files: { file: string; keyFile: string }) => Promise<void>][] = [
    ['the key is another', ({ keyFile }) => writeFile(keyFile, Buffer.alloc(32, 7))],
    ['the key is cut off', ({ keyFile }) => writeFile(keyFile, Buffer.alloc(31))],
    ['the key is missing', ({ keyFile }) => rm(keyFile)],
    ['the file is cut off', ({ file }) => writeFile(file, '{"format":1,"secrets":[')],
    ['the file is of another shape', ({ file }) => writeFile(file, '{}')],
    [
      'a secret was put in the place of another',
      async ({ file }) => {
        const vault = JSON.parse(await readFile(file, 'utf8'));
        vault.secrets[0].name = 'account/2';
        vault.secrets[1].name = 'account/1';
        await writeFile(file, JSON.stringify(vault));
      },
    ],
    [
      'a secret was changed',
      async ({ file }) => {
        const vault = JSON.parse(await readFile(file, 'utf8'));
        vault.secrets[0].text = Buffer.alloc(24).toString('base64');
        await writeFile(file, JSON.stringify(vault));
      },
    ],
  ];
  it.each(damages)('says so, without telling a secret, when %s', async (_what, damage) => {
    const { folder, ...files } = await given();
    await damage(files);
    const error: unknown = await new FileSecrets(folder).get('account/1').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SecretsUnreadable);
    expect(String(error)).not.toContain(confidential);
  });

  it('does not write with a wrong key', async () => {
    const { folder, file, keyFile } = await given();
    await writeFile(keyFile, Buffer.alloc(32, 7));
    const before = await readFile(file, 'utf8');
    await expect(new FileSecrets(folder).put('account/3', 'new')).rejects.toThrow(SecretsUnreadable);
    expect(await readFile(file, 'utf8')).toBe(before);
  });

  it('still has the old value after a write that failed', async () => {
    const { folder, file } = await given();
    const secrets = new FileSecrets(folder);
    expect(await secrets.get('account/1')).toBe(confidential);
    await rm(file);
    await mkdir(join(file, 'in the way'), { recursive: true });
    await expect(secrets.put('account/1', 'new')).rejects.toThrow();
    expect(await secrets.get('account/1')).toBe(confidential);
    await rm(file, { recursive: true });
    await secrets.put('account/1', 'newer');
    expect(await secrets.get('account/1')).toBe('newer');
  });

  it.each(['', 'with space', 'ü', 'x'.repeat(513)])('refuses the name %j', async (name) => {
    await expect(new FileSecrets(newFolder()).put(name, 'v')).rejects.toThrow(RangeError);
  });

  it('refuses a value of more than 64 KB without telling it', async () => {
    const put = new FileSecrets(newFolder()).put('large', confidential.repeat(10_000));
    await expect(put).rejects.toThrow(RangeError);
    await expect(put).rejects.not.toThrow(confidential);
  });

  it('treats names such as __proto__ like any other', async () => {
    const secrets = new FileSecrets(newFolder());
    expect(await secrets.get('__proto__')).toBeUndefined();
    await secrets.put('__proto__', 'v');
    expect(await secrets.get('__proto__')).toBe('v');
  });
});
