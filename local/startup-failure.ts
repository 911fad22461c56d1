import { DomainError } from '#shared/platform/errors';
import { BadOption } from './given-settings.ts';
import type { Options } from './options.ts';

/** Why the server did not start, for the person who started it. */
export interface StartupFailure {
  readonly message: string;
  /** 2: the command is wrong; 1: it can't run here. */
  readonly exitCode: 1 | 2;
}

/** The message for a known kind of failure; undefined for an unexpected error. */
export const startupFailure = (error: unknown, options: Options | undefined): StartupFailure | undefined => {
  if (error instanceof BadOption) return { message: error.message, exitCode: 2 };
  if (error instanceof DomainError) {
    return { message: `${error.message}.`, exitCode: error.code === 'bad-candle-file' ? 2 : 1 };
  }
  const message = options && error instanceof Error ? messageOf(error, options) : undefined;
  return message === undefined ? undefined : { message, exitCode: 1 };
};

const messageOf = (
  error: NodeJS.ErrnoException,
  { host, port, dataFolder }: Pick<Options, 'host' | 'port' | 'dataFolder'>,
): string | undefined => {
  switch (error.syscall === 'listen' || error.syscall === 'getaddrinfo' ? error.code : undefined) {
    case undefined:
      break;
    case 'EADDRINUSE':
      return `Port ${port} of ${host} is taken; choose another with --port, or any free one with --port 0.`;
    case 'EACCES':
      return `Port ${port} needs more rights; choose one above 1023 with --port.`;
    default:
      return `${host} is no address of this machine (${error.code}); choose one with --host, such as 127.0.0.1.`;
  }
  const folder = `The data folder ${dataFolder}`;
  switch (error.code) {
    case 'EEXIST':
    case 'ENOTDIR':
      return `${folder} is not a folder; choose one with --data.`;
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return `${folder} can't be written; choose another with --data.`;
    case 'ENOSPC':
      return `${folder} can't be written: the disk is full.`;
    case 'ERR_SQLITE_ERROR':
      return `${folder} can't be used: ${error.message}.`;
    default:
      return undefined;
  }
};
