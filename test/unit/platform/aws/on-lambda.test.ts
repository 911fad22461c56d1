import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build, type Metafile } from 'esbuild';
import { beforeAll, describe, expect, it } from 'vitest';
import { onLambda } from '#shared/platform/aws/on-lambda';
import { httpRecorder, operationOf } from '../../../support/http-recorder.ts';

const entry = `
  import { onLambda } from '#shared/platform/aws/on-lambda';
  export const handler = onLambda(({ table, mailer, queue, metrics }) => async (event) => {
    if (event.metric) {
      metrics.addMetric(event.metric, 'Count', 1);
      return metrics.serializeMetrics()._aws.CloudWatchMetrics[0].Namespace;
    }
    if (event.mail) return mailer.send(event.mail);
    if (event.queue) return queue(event.queue).depth();
    return table.get(event.key);
  });
`;

/** A function that is granted the table alone, bundled; Lambda's environment is played around it. */
describe('a function on Lambda', () => {
  let folder: string;
  let metafile: Metafile;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'on-lambda-'));
    const uses = (port: string, used: boolean) => ({ [`process.env.ALPHAPULSE_USES_${port}`]: `"${used}"` });
    const bundled = await build({
      stdin: { contents: entry, resolveDir: process.cwd(), sourcefile: 'handler.ts', loader: 'ts' },
      bundle: true,
      minify: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node24',
      mainFields: ['module', 'main'],
      outdir: folder,
      outExtension: { '.js': '.mjs' },
      define: {
        ...uses('TABLE', true),
        ...uses('QUEUES', false),
        ...uses('SECRETS', false),
        ...uses('MAIL', false),
        ...uses('PUSH', false),
      },
      metafile: true,
      logLevel: 'error',
    });
    metafile = bundled.metafile;
    return () => rm(folder, { recursive: true });
  });

  const called = async (event: object, environment: Record<string, string> = {}) => {
    const script = `
      const { handler } = await import(${JSON.stringify(join(folder, 'stdin.mjs'))});
      const answer = await handler(JSON.parse(process.argv.at(-1))).catch(({ name, message }) => ({ name, message }));
      console.log(JSON.stringify(answer));
    `;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', script, JSON.stringify(event)],
      {
        env: {
          AWS_LAMBDA_FUNCTION_NAME: 'alphapulse-reader',
          AWS_REGION: 'us-east-1',
          AWS_ACCESS_KEY_ID: 'test',
          AWS_SECRET_ACCESS_KEY: 'test',
          ALPHAPULSE_VERSION: '1.2.3',
          ALPHAPULSE_VENUES: 'sim',
          ALPHAPULSE_MAIL_FROM: 'alerts@example.com',
          TABLE_NAME: 'alphapulse',
          ...environment,
        },
      },
    );
    return JSON.parse(stdout);
  };

  it('reaches the table that its environment names', async () => {
    const aws = await httpRecorder({ body: { Item: { pk: { S: 'P' }, sk: { S: 'S' }, kind: { S: 'tick' } } } });
    const item = await called({ key: { pk: 'P', sk: 'S' } }, { AWS_ENDPOINT_URL: aws.url });
    expect(item).toEqual({ pk: 'P', sk: 'S', kind: 'tick' });
    expect(aws.requests.map(operationOf)).toEqual(['GetItem']);
  });

  it.each([
    ['mail', { mail: {} }],
    ['queues', { queue: 'deliveries' }],
  ])('is told by whom it may not use %s', async (port, event) => {
    expect(await called(event)).toMatchObject({
      message: `functions/manifest.ts does not grant ${port} to this function (alphapulse-reader)`,
    });
  });

  it('counts in the namespace of its deployment', async () => {
    const environment = { POWERTOOLS_METRICS_NAMESPACE: 'AlphaPulse/dev' };
    expect(await called({ metric: 'AlertsFired' }, environment)).toBe('AlphaPulse/dev');
  });

  it('does not start without its configuration', async () => {
    await expect(called({}, { TABLE_NAME: '' })).rejects.toThrow('The environment variable TABLE_NAME is missing');
  });

  it('carries no code of services that it does not use', () => {
    const clients = Object.keys(metafile.inputs).flatMap((path) => /@aws-sdk\/(client-[^/]+)/.exec(path)?.[1] ?? []);
    expect([...new Set(clients)]).toEqual(['client-dynamodb']);
  });
});

describe('a function elsewhere', () => {
  it('is not made, and says so when it is called', () => {
    const handler = onLambda(() => {
      throw new Error('made');
    });
    expect(handler).toThrow('This handler runs on Lambda alone');
  });
});
