import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  BatchWriteCommand,
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { ConditionFailed, InvalidCursor, Unavailable } from '../errors.ts';
import type { Clock, Ids, Random } from '../ports.ts';
import {
  type Changes,
  checkQueryLimit,
  type Delete,
  type Item,
  type Key,
  type Page,
  type Put,
  type Query,
  type Table,
  type Write,
  type WriteCondition,
} from '../table.ts';
import { drained, FRUITLESS_ATTEMPTS_MAX, pause } from './backoff.ts';
import { CLIENT_OPTIONS } from './client-options.ts';
import { concurrently, piecesOf } from './concurrently.ts';
import { cursorOf, positionOf } from './cursor.ts';
import { isContention, refuse } from './dynamo-failures.ts';
import { type BatchWrite, batchWriteOf, conditional, keyOnly, transactItemOf, updating } from './dynamo-requests.ts';
import { Expressions } from './expressions.ts';
import { nameOf } from './failures.ts';

const batchGetKeysMax = 100;
const batchWritesMax = 25;
const concurrencyMax = 8;

export const dynamoClient = (own: DynamoDBClientConfig = {}) => new DynamoDBClient({ ...CLIENT_OPTIONS, ...own });

/**
 * The table on DynamoDB.
 *
 * The SDK repeats a call whose answer was lost. A transaction carries a token and is made once all the same; a single
 * conditional write may then report {@link ConditionFailed} although its first attempt was made, and an `add` without
 * condition may count twice. Where that matters, write with {@link transact}.
 */
export class DynamoTable implements Table {
  readonly #documents: DynamoDBDocumentClient;
  readonly #tableName: string;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #ids: Ids;

  constructor(options: {
    readonly client: DynamoDBClient;
    readonly tableName: string;
    readonly clock: Clock;
    readonly random: Random;
    readonly ids: Ids;
  }) {
    this.#documents = DynamoDBDocumentClient.from(options.client, {
      marshallOptions: { removeUndefinedValues: true, convertEmptyValues: false, allowImpreciseNumbers: true },
      // Numbers are doubles both ways; by default the SDK makes a BigInt of those above 2^53.
      unmarshallOptions: { wrapNumbers: Number },
    });
    this.#tableName = options.tableName;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#ids = options.ids;
  }

  async get<T extends Item>(key: Key, { consistent = false } = {}): Promise<T | undefined> {
    const command = new GetCommand({ TableName: this.#tableName, Key: keyOnly(key), ConsistentRead: consistent });
    const { Item: item } = await this.#documents.send(command).catch(refuse);
    return item as T | undefined;
  }

  async getMany<T extends Item>(keys: readonly Key[], { consistent = false } = {}): Promise<T[]> {
    // DynamoDB refuses a batch that names a key twice.
    const distinct = new Map(keys.map((key) => [idOf(key), keyOnly(key)]));
    const found = new Map<string, T>();
    const read = async (batch: readonly Key[]): Promise<readonly Key[]> => {
      const command = new BatchGetCommand({
        RequestItems: { [this.#tableName]: { Keys: [...batch], ConsistentRead: consistent } },
      });
      const { Responses: answers, UnprocessedKeys: unread } = await this.#documents.send(command).catch(refuse);
      for (const item of (answers?.[this.#tableName] ?? []) as T[]) found.set(idOf(item), item);
      return (unread?.[this.#tableName]?.Keys ?? []) as Key[];
    };
    const batches = piecesOf([...distinct.values()], batchGetKeysMax);
    await concurrently(
      concurrencyMax,
      batches.map((batch) => () => this.#drained(batch, read)),
    );
    return keys.flatMap((key) => found.get(idOf(key)) ?? []);
  }

  async query<T extends Item>(query: Query): Promise<Page<T>> {
    const { index, descending = false, limit, cursor, consistent = false } = query;
    if (limit !== undefined) checkQueryLimit(limit);
    const start = cursor === undefined ? undefined : positionOf(query, cursor);
    const expressions = new Expressions();
    const keyCondition = expressions.keyCondition(query);
    if (keyCondition === undefined) return { items: [] };
    const command = new QueryCommand({
      TableName: this.#tableName,
      KeyConditionExpression: keyCondition,
      ...expressions.placeholders(),
      ScanIndexForward: !descending,
      ...(index === undefined ? { ConsistentRead: consistent } : { IndexName: index }),
      ...(limit !== undefined && { Limit: limit }),
      ...(start !== undefined && { ExclusiveStartKey: start }),
    });
    const { Items: items = [], LastEvaluatedKey: last } = await this.#documents
      .send(command)
      .catch((error: unknown) => {
        // The query was accepted without a cursor, so the cursor is what does not fit: it lies outside of the range.
        if (start !== undefined && nameOf(error) === 'ValidationException') {
          throw new InvalidCursor('The cursor belongs to another query');
        }
        return refuse(error);
      });
    return last === undefined ? { items: items as T[] } : { items: items as T[], cursor: cursorOf(query, last) };
  }

  async put(item: Item, condition?: WriteCondition): Promise<void> {
    const request = { TableName: this.#tableName, Item: item, ...conditional(condition) };
    await this.#uncontended(() => this.#documents.send(new PutCommand(request)));
  }

  async update<T extends Item>(key: Key, changes: Changes, condition?: WriteCondition): Promise<T> {
    const request = {
      TableName: this.#tableName,
      Key: keyOnly(key),
      ...updating(changes, condition),
      ReturnValues: 'ALL_NEW' as const,
    };
    const { Attributes: item } = await this.#uncontended(() => this.#documents.send(new UpdateCommand(request)));
    return item as T;
  }

  async delete<T extends Item>(key: Key, condition?: WriteCondition): Promise<T | undefined> {
    const request = {
      TableName: this.#tableName,
      Key: keyOnly(key),
      ...conditional(condition),
      ReturnValues: 'ALL_OLD' as const,
    };
    const { Attributes: item } = await this.#uncontended(() => this.#documents.send(new DeleteCommand(request)));
    return item as T | undefined;
  }

  async writeMany(writes: readonly (Put | Delete)[]): Promise<number[]> {
    const failed: number[] = [];
    const single = async (write: Put | Delete, position: number): Promise<void> => {
      try {
        await ('put' in write ? this.put(write.put, write.if) : this.delete(write.delete, write.if));
      } catch (error) {
        if (!(error instanceof ConditionFailed)) throw error;
        failed.push(position);
      }
    };
    for (const round of roundsOf(writes)) {
      const batches = piecesOf(
        round.filter(({ write }) => write.if === undefined).map(({ write }) => batchWriteOf(write)),
        batchWritesMax,
      );
      await concurrently(concurrencyMax, [
        ...batches.map((batch) => () => this.#drained(batch, (left) => this.#batchWrite(left))),
        ...round
          .filter(({ write }) => write.if !== undefined)
          .map(
            ({ write, position }) =>
              () =>
                single(write, position),
          ),
      ]);
    }
    return failed.sort((a, b) => a - b);
  }

  async transact(writes: readonly Write[]): Promise<void> {
    const request = {
      TransactItems: writes.map((write) => transactItemOf(this.#tableName, write)),
      ClientRequestToken: this.#ids.next(),
    };
    await this.#uncontended(() => this.#documents.send(new TransactWriteCommand(request)));
  }

  async #batchWrite(batch: readonly BatchWrite[]): Promise<readonly BatchWrite[]> {
    const command = new BatchWriteCommand({ RequestItems: { [this.#tableName]: [...batch] } });
    const { UnprocessedItems: unwritten } = await this.#documents.send(command).catch(refuse);
    return (unwritten?.[this.#tableName] ?? []) as BatchWrite[];
  }

  async #drained<U>(batch: readonly U[], step: (batch: readonly U[]) => Promise<readonly U[]>): Promise<void> {
    if (!(await drained(this.#clock, this.#random, batch, step))) throw new Unavailable('The table has too much to do');
  }

  /** Retries a write that conflicted with a concurrent transaction on the item; the SDK does not. */
  async #uncontended<R>(send: () => Promise<R>): Promise<R> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await send();
      } catch (error) {
        if (!isContention(error)) return refuse(error);
        if (attempt === FRUITLESS_ATTEMPTS_MAX)
          throw new Unavailable('Too many write the same items', { cause: error });
        await pause(this.#clock, this.#random, attempt);
      }
    }
  }
}

const idOf = ({ pk, sk }: Key): string => JSON.stringify([pk, sk]);

/** Writes in rounds that are made one after the other; a round holds each key once, so that writes of one key keep their order. */
const roundsOf = (writes: readonly (Put | Delete)[]) => {
  const rounds: { readonly write: Put | Delete; readonly position: number }[][] = [];
  const writesOfKey = new Map<string, number>();
  for (const [position, write] of writes.entries()) {
    const id = idOf('put' in write ? write.put : write.delete);
    const round = writesOfKey.get(id) ?? 0;
    writesOfKey.set(id, round + 1);
    rounds[round] ??= [];
    rounds[round].push({ write, position });
  }
  return rounds;
};
