import type { Context } from 'aws-lambda';
import type { Clock, Ids } from '#shared/platform/ports';

/** What a manifest entry makes of its platform. */
export type Handler = (event: unknown, context: Context) => Promise<unknown>;

/**
 * Calls a function with an event.
 * @param requestId of the call; it gets one of its own where none is given
 * @throws what the handler throws, or {@link HandlerTimedOut}
 */
export type Invoke = (event: unknown, requestId?: string) => Promise<unknown>;

/** What the runtime has to know of a function to call it. */
export interface FunctionLimits {
  readonly name: string;
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
}

/** A handler did not end within the time that its manifest entry allows. It may still be running. */
export class HandlerTimedOut extends Error {
  override readonly name = 'HandlerTimedOut';
  constructor({ name, timeoutSeconds }: FunctionLimits) {
    super(`The function ${name} did not end within ${timeoutSeconds} s`);
  }
}

interface Call {
  readonly deadline: number;
  expire(): void;
}

/**
 * Calls a handler as Lambda does: with a context, and for at most its time. The calls of a function end in the order in
 * which they began or sooner, so one sleeper watches over the oldest of them; a call costs no timer of its own.
 */
export class Invoker {
  readonly #limits: FunctionLimits;
  readonly #handler: Handler;
  readonly #clock: Clock;
  readonly #ids: Ids;
  readonly #calls = new Set<Call>();
  readonly #stopped = new AbortController();
  #watching = false;

  constructor(limits: FunctionLimits, handler: Handler, { clock, ids }: { clock: Clock; ids: Ids }) {
    this.#limits = limits;
    this.#handler = handler;
    this.#clock = clock;
    this.#ids = ids;
  }

  readonly invoke: Invoke = (event, requestId = this.#ids.next()) =>
    new Promise((resolve, reject) => {
      const deadline = this.#clock.now() + this.#limits.timeoutSeconds * 1000;
      const call: Call = { deadline, expire: () => reject(new HandlerTimedOut(this.#limits)) };
      this.#calls.add(call);
      const context = new LocalContext(this.#limits, requestId, deadline, this.#clock);
      this.#handler(event, context)
        .then(resolve, reject)
        .finally(() => this.#calls.delete(call));
      if (!this.#watching) void this.#watch();
    });

  /** Ends the watching of time limits. */
  stop(): void {
    this.#stopped.abort();
  }

  async #watch(): Promise<void> {
    this.#watching = true;
    for (let [oldest] = this.#calls; oldest !== undefined && !this.#stopped.signal.aborted; [oldest] = this.#calls) {
      const remainingMs = oldest.deadline - this.#clock.now();
      if (remainingMs > 0) {
        await this.#clock.sleep(remainingMs, this.#stopped.signal);
      } else {
        this.#calls.delete(oldest);
        oldest.expire();
      }
    }
    this.#watching = false;
  }
}

class LocalContext implements Context {
  readonly functionName: string;
  readonly memoryLimitInMB: string;
  readonly awsRequestId: string;
  readonly functionVersion = '$LATEST';
  readonly invokedFunctionArn: string;
  readonly logGroupName: string;
  readonly logStreamName = 'local';
  callbackWaitsForEmptyEventLoop = false;
  /** Callers take it off the context, so it must not need one. */
  readonly getRemainingTimeInMillis: () => number;

  constructor({ name, memoryMb }: FunctionLimits, requestId: string, deadline: number, clock: Clock) {
    this.functionName = name;
    this.memoryLimitInMB = String(memoryMb);
    this.awsRequestId = requestId;
    this.invokedFunctionArn = `arn:aws:lambda:local:000000000000:function:${name}`;
    this.logGroupName = `/aws/lambda/${name}`;
    this.getRemainingTimeInMillis = () => Math.max(0, deadline - clock.now());
  }

  done(): void {}
  fail(): void {}
  succeed(): void {}
}
