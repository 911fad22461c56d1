import { Console } from 'node:console';
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import { redacted } from '#shared/platform/redaction';

const serviceName = 'alphapulse';

export const LOG_LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'CRITICAL', 'SILENT'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Logs as on AWS, JSON lines, but all of them to stderr: stdout is for the person who started the server. */
class StderrLogger extends Logger {
  constructor(options?: ConstructorParameters<typeof Logger>[0]) {
    super(options);
    // The logger's console has no setter, and writes what is no error to stdout.
    Reflect.set(this, 'console', new Console(process.stderr));
  }

  protected override createLogger(options?: ConstructorParameters<typeof Logger>[0]): Logger {
    return new StderrLogger(options);
  }
}

/** Metrics that take everything and print nothing. */
class QuietMetrics extends Metrics {
  override publishStoredMetrics(): this {
    this.clearMetrics();
    this.clearDimensions();
    this.clearMetadata();
    return this;
  }

  override singleMetric(): Metrics {
    return new QuietMetrics({ singleMetric: true });
  }
}

export const localLogger = (logLevel: LogLevel): Logger =>
  new StderrLogger({ logLevel, serviceName, jsonReplacerFn: redacted });

export const localMetrics = (logger: Logger): Metrics =>
  new QuietMetrics({ namespace: 'AlphaPulse', serviceName, logger });
