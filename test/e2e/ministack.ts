/** MiniStack, an emulator of AWS: installed into a cache of this project, and run for as long as tests need it. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../support/free-port.ts';
import { until } from '../support/until.ts';

const version = '1.5.33';
const readyTimeoutMs = 60_000;
const installTimeoutMs = 300_000;

const root = resolve(import.meta.dirname, '../..');
const cache = join(root, 'node_modules/.cache');
const environmentFolder = join(cache, `ministack-${version}`);
const command = join(environmentFolder, 'bin/ministack');
const run = promisify(execFile);

export interface AwsEndpoint {
  readonly url: string;
  /** Whether nothing was there before. */
  readonly isOurs: boolean;
  close(): Promise<void>;
}

/** The environment by which tools and SDKs reach an emulator; it takes any credentials. */
export const awsEnvironment = (url: string): Record<string, string> => ({
  AWS_ENDPOINT_URL: url,
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_REGION: 'us-east-1',
  AWS_DEFAULT_REGION: 'us-east-1',
  AWS_EC2_METADATA_DISABLED: 'true',
});

/** The emulator at AWS_ENDPOINT_URL, or else one that is started here and writes a log of this name into the cache. */
export const openAws = async (logName: string): Promise<AwsEndpoint> => {
  const given = process.env.AWS_ENDPOINT_URL;
  return given
    ? { url: given.replace(/\/$/, ''), isOurs: false, close: async () => undefined }
    : await startMiniStack(logName);
};

const install = async (): Promise<void> => {
  try {
    await access(command);
  } catch {
    await run('python3', ['-m', 'venv', '--clear', environmentFolder], { timeout: installTimeoutMs });
    const pip = join(environmentFolder, 'bin/pip');
    await run(pip, ['install', '--quiet', '--disable-pip-version-check', `ministack==${version}`], {
      timeout: installTimeoutMs,
    });
  }
};

const startMiniStack = async (logName: string): Promise<AwsEndpoint> => {
  await install();
  const logFile = join(cache, `${logName}.log`);
  const log = await open(logFile, 'w');
  const [port, folder] = [await freePort(), await mkdtemp(join(tmpdir(), 'alphapulse-aws-'))];
  const plain = Object.entries(process.env).filter(([name]) => !/^(ALPHAPULSE|AWS|POWERTOOLS|VITEST)/.test(name));
  const child = spawn(command, [], {
    cwd: folder,
    // A group of its own: functions are processes of the emulator and end with it.
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    env: {
      ...Object.fromEntries(plain),
      // Functions run on the Node that is first here.
      PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
      TMPDIR: folder,
      BIND_HOST: '127.0.0.1',
      GATEWAY_PORT: String(port),
      IOT_MTLS_ENABLED: '0',
    },
  });
  const end = () => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, 'SIGKILL');
  };
  process.on('exit', end);
  const exited = once(child, 'exit');
  const url = `http://127.0.0.1:${port}`;
  try {
    await until(
      'MiniStack to answer',
      () =>
        fetch(`${url}/_ministack/health`)
          .then(({ ok }) => ok)
          .catch(() => false),
      readyTimeoutMs,
    );
  } catch (error) {
    end();
    throw new Error(`MiniStack did not start; see ${logFile}`, { cause: error });
  }
  return {
    url,
    isOurs: true,
    close: async () => {
      process.off('exit', end);
      end();
      await exited;
      await log.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
};
