import { describe, expect, it } from 'vitest';
import { DynamoTable, dynamoClient } from '#shared/platform/aws/dynamo-table';
import { ConditionFailed, InvalidCursor, TimedOut, TransactionCanceled, Unavailable } from '#shared/platform/errors';
import { ABSENT, equals, type Item, PRESENT } from '#shared/platform/table';
import {
  type Answer,
  awsFailure,
  httpRecorder,
  operationOf,
  type RecordedRequest,
  towards,
} from '../../../support/http-recorder.ts';
import { instantClock } from '../../../support/instant-clock.ts';

const given = async (...answers: (Answer | ((request: RecordedRequest) => Answer))[]) => {
  const recorder = await httpRecorder(...answers);
  const clock = instantClock();
  let ids = 0;
  const table = new DynamoTable({
    client: dynamoClient(towards(recorder)),
    tableName: 'alphapulse',
    clock,
    random: { number: () => 0.5, bytes: (length) => new Uint8Array(length) },
    ids: { next: () => `id-${++ids}` },
  });
  const sent = () =>
    recorder.requests.map((request) => ({ operation: operationOf(request), ...JSON.parse(request.body) }));
  return { table, clock, sent };
};

const key = { pk: 'USER#1', sk: 'ALERT#1' };
const item: Item = { ...key, kind: 'alert' };
const stored = { pk: { S: key.pk }, sk: { S: key.sk }, kind: { S: 'alert' } };
const storedKey = { pk: stored.pk, sk: stored.sk };
const ok = (body: object = {}): Answer => ({ body });
const itemsOf = (count: number): Item[] =>
  Array.from({ length: count }, (_, position) => ({ pk: 'P', sk: `S${position}`, kind: 'tick' }));

describe('get', () => {
  it('reads eventually consistent unless asked otherwise', async () => {
    const { table, sent } = await given(ok({ Item: stored }), ok());
    expect(await table.get({ ...item })).toEqual(item);
    expect(await table.get(key, { consistent: true })).toBeUndefined();
    expect(sent()).toEqual([
      { operation: 'GetItem', TableName: 'alphapulse', Key: storedKey, ConsistentRead: false },
      { operation: 'GetItem', TableName: 'alphapulse', Key: storedKey, ConsistentRead: true },
    ]);
  });

  it('gives every number as a double, as it was put', async () => {
    const { table, sent } = await given(ok(), ok({ Item: { ...stored, volume: { N: '100000000000000000000' } } }));
    await table.put({ ...item, volume: 1e20 });
    expect(sent()[0].Item.volume).toEqual({ N: '100000000000000000000' });
    expect(await table.get(key)).toMatchObject({ volume: 1e20 });
  });
});

describe('put', () => {
  it('leaves out what is undefined and keeps empty strings', async () => {
    const { table, sent } = await given(ok());
    await table.put({ ...item, note: '', nested: { kept: null, gone: undefined }, until: undefined });
    expect(sent()).toEqual([
      {
        operation: 'PutItem',
        TableName: 'alphapulse',
        Item: { ...stored, note: { S: '' }, nested: { M: { kept: { NULL: true } } } },
      },
    ]);
  });

  it('sends its condition', async () => {
    const { table, sent } = await given(ok());
    await table.put(item, ABSENT);
    expect(sent()[0]).toMatchObject({
      ConditionExpression: 'attribute_not_exists(#n0)',
      ExpressionAttributeNames: { '#n0': 'pk' },
    });
    expect(sent()[0]).not.toHaveProperty('ExpressionAttributeValues');
  });

  it('fails when the condition does not hold', async () => {
    const { table } = await given(awsFailure('ConditionalCheckFailedException', 'The conditional request failed'));
    await expect(table.put(item, ABSENT)).rejects.toBeInstanceOf(ConditionFailed);
  });

  it('is made again when a transaction holds the item', async () => {
    const { table, clock, sent } = await given(awsFailure('TransactionConflictException'), ok());
    await table.put(item);
    expect(sent()).toHaveLength(2);
    expect(clock.slept).toEqual([12.5]);
  });
});

describe('update', () => {
  it('gives the new item', async () => {
    const { table, sent } = await given(ok({ Attributes: { ...stored, version: { N: '2' } } }));
    const changed = await table.update(key, { set: { state: 'fired' }, add: { version: 1 } }, equals('version', 1));
    expect(changed).toEqual({ ...item, version: 2 });
    expect(sent()).toEqual([
      {
        operation: 'UpdateItem',
        TableName: 'alphapulse',
        Key: storedKey,
        UpdateExpression: 'SET #n0 = :v0 ADD #n1 :v1',
        ConditionExpression: '#n1 = :v2',
        ExpressionAttributeNames: { '#n0': 'state', '#n1': 'version' },
        ExpressionAttributeValues: { ':v0': { S: 'fired' }, ':v1': { N: '1' }, ':v2': { N: '1' } },
        ReturnValues: 'ALL_NEW',
      },
    ]);
  });
});

describe('delete', () => {
  it('gives the removed item, or nothing', async () => {
    const { table, sent } = await given(ok({ Attributes: stored }), ok());
    expect(await table.delete(key)).toEqual(item);
    expect(await table.delete(key, PRESENT)).toBeUndefined();
    expect(sent()[0]).toEqual({
      operation: 'DeleteItem',
      TableName: 'alphapulse',
      Key: storedKey,
      ReturnValues: 'ALL_OLD',
    });
  });
});

describe('query', () => {
  it('goes through an index, backwards, page by page', async () => {
    const last = { gsi1pk: { S: 'G' }, gsi1sk: { S: '7' }, ...storedKey };
    const { table, sent } = await given(ok({ Items: [stored], LastEvaluatedKey: last }), ok({ Items: [] }));
    const query = { index: 'gsi1', pk: 'G', sk: { prefix: '7' }, descending: true, limit: 1 } as const;
    const page = await table.query(query);
    expect(page.items).toEqual([item]);
    expect(await table.query({ ...query, cursor: page.cursor ?? '' })).toEqual({ items: [] });
    expect(sent()[1]).toEqual({
      operation: 'Query',
      TableName: 'alphapulse',
      IndexName: 'gsi1',
      KeyConditionExpression: '#n0 = :v0 AND begins_with(#n1, :v1)',
      ExpressionAttributeNames: { '#n0': 'gsi1pk', '#n1': 'gsi1sk' },
      ExpressionAttributeValues: { ':v0': { S: 'G' }, ':v1': { S: '7' } },
      ScanIndexForward: false,
      Limit: 1,
      ExclusiveStartKey: last,
    });
  });

  it('stays in its partition with a cursor of another one', async () => {
    const { table, sent } = await given(
      ok({ Items: [], LastEvaluatedKey: { pk: { S: 'USER#2' }, sk: { S: 'B' } } }),
      ok(),
    );
    const { cursor = '' } = await table.query({ pk: 'USER#2' });
    expect(Buffer.from(cursor, 'base64url').toString()).not.toContain('USER#2');
    await table.query({ pk: 'USER#1', cursor });
    expect(sent()[1].ExclusiveStartKey).toEqual({ pk: { S: 'USER#1' }, sk: { S: 'B' } });
  });

  it('asks for nothing when no key lies in the range', async () => {
    const { table, sent } = await given();
    expect(await table.query({ pk: 'P', sk: { between: ['b', 'a'] } })).toEqual({ items: [] });
    expect(sent()).toEqual([]);
  });

  const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  it.each([
    '',
    'x',
    '%%%',
    encoded(['a', 'b', 'c']),
    encoded([1]),
    encoded(['']),
    encoded({ sk: 'a' }),
    `${encoded(['a'])}=`,
  ])('refuses the cursor %j', async (cursor) => {
    const { table } = await given();
    await expect(table.query({ pk: 'P', cursor })).rejects.toBeInstanceOf(InvalidCursor);
  });

  it('refuses a cursor that DynamoDB finds outside of the range', async () => {
    const { table } = await given(
      awsFailure('ValidationException', 'The provided starting key is outside query boundaries'),
    );
    const query = { pk: 'P', sk: { prefix: 'a' }, cursor: encoded(['b']) };
    await expect(table.query(query)).rejects.toBeInstanceOf(InvalidCursor);
  });
});

describe('getMany', () => {
  it('keeps the order of the keys over batches and what was left over', async () => {
    const items = itemsOf(130);
    const answer = ({ body }: RecordedRequest): Answer => {
      const { Keys: keys } = JSON.parse(body).RequestItems.alphapulse;
      const left = keys.length === 100 ? keys.slice(0, 40) : [];
      const found = keys.slice(left.length).toReversed();
      return ok({
        Responses: { alphapulse: found.map((found: object) => ({ ...found, kind: { S: 'tick' } })) },
        UnprocessedKeys: left.length > 0 ? { alphapulse: { Keys: left } } : {},
      });
    };
    const { table, clock, sent } = await given(answer, answer, answer);
    expect(await table.getMany(items)).toEqual(items);
    expect(sent().map(({ RequestItems }) => RequestItems.alphapulse.Keys.length)).toEqual([100, 30, 40]);
    expect(clock.slept).toHaveLength(1);
  });

  it('asks once for a key that is named twice', async () => {
    const { table, sent } = await given(ok({ Responses: { alphapulse: [stored] } }));
    expect(await table.getMany([key, key], { consistent: true })).toEqual([item, item]);
    expect(sent()[0].RequestItems.alphapulse).toEqual({ Keys: [storedKey], ConsistentRead: true });
  });

  it('gives up on a table that leaves everything over', async () => {
    const left = ok({ UnprocessedKeys: { alphapulse: { Keys: [storedKey] } } });
    const { table, clock, sent } = await given(...Array.from({ length: 8 }, () => left));
    await expect(table.getMany([key])).rejects.toBeInstanceOf(Unavailable);
    expect(sent()).toHaveLength(8);
    expect(clock.slept).toEqual([12.5, 25, 50, 100, 200, 400, 500]);
  });

  it('goes on as long as a little more is read each time', async () => {
    const answer = ({ body }: RecordedRequest): Answer => {
      const [key, ...left] = JSON.parse(body).RequestItems.alphapulse.Keys;
      return ok({
        Responses: { alphapulse: [{ ...key, kind: { S: 'tick' } }] },
        UnprocessedKeys: left.length > 0 ? { alphapulse: { Keys: left } } : {},
      });
    };
    const { table } = await given(...Array.from({ length: 12 }, () => answer));
    expect(await table.getMany(itemsOf(12))).toHaveLength(12);
  });

  it('asks for nothing without keys', async () => {
    const { table } = await given();
    expect(await table.getMany([])).toEqual([]);
  });
});

describe('writeMany', () => {
  it('writes in batches and sends again what was left over', async () => {
    const answer = ({ body }: RecordedRequest): Answer => {
      const batch = JSON.parse(body).RequestItems.alphapulse;
      return ok({ UnprocessedItems: batch.length === 25 ? { alphapulse: batch.slice(0, 2) } : {} });
    };
    const { table, sent } = await given(answer, answer, answer);
    expect(await table.writeMany(itemsOf(26).map((put) => ({ put })))).toEqual([]);
    expect(sent().map(({ operation, RequestItems }) => [operation, RequestItems.alphapulse.length])).toEqual([
      ['BatchWriteItem', 25],
      ['BatchWriteItem', 1],
      ['BatchWriteItem', 2],
    ]);
  });

  it('makes the writes of one key one after the other, in order', async () => {
    const { table, sent } = await given(ok(), ok(), ok());
    await table.writeMany([{ put: item }, { delete: key }, { put: { ...item, version: 2 }, if: ABSENT }]);
    expect(sent().map(({ operation, RequestItems }) => [operation, RequestItems?.alphapulse])).toEqual([
      ['BatchWriteItem', [{ PutRequest: { Item: stored } }]],
      ['BatchWriteItem', [{ DeleteRequest: { Key: storedKey } }]],
      ['PutItem', undefined],
    ]);
  });

  it('tells which conditions did not hold, and makes the other writes', async () => {
    const answer = ({ body }: RecordedRequest): Answer =>
      JSON.parse(body).Item.sk.S < 'S2' ? awsFailure('ConditionalCheckFailedException') : ok();
    const { table } = await given(answer, answer, answer, answer);
    expect(await table.writeMany(itemsOf(4).map((put) => ({ put, if: ABSENT })))).toEqual([0, 1]);
  });

  it('fails as a whole when the table fails', async () => {
    const { table } = await given(awsFailure('InternalServerError', 'Internal server error', {}, 500));
    await expect(table.writeMany([{ put: item, if: ABSENT }])).rejects.toBeInstanceOf(Unavailable);
  });
});

describe('transact', () => {
  const reasons = (...codes: string[]) =>
    awsFailure('TransactionCanceledException', `Transaction cancelled [${codes.join(', ')}]`, {
      CancellationReasons: codes.map((Code) => ({ Code })),
    });

  it('sends every kind of write with a token', async () => {
    const { table, sent } = await given(ok());
    await table.transact([
      { put: item, if: ABSENT },
      { update: { pk: 'A', sk: 'B' }, changes: { remove: ['until'] } },
      { delete: { pk: 'C', sk: 'D' } },
      { check: { pk: 'E', sk: 'F' }, if: equals('status', 'open') },
    ]);
    expect(sent()).toEqual([
      {
        operation: 'TransactWriteItems',
        ClientRequestToken: 'id-1',
        TransactItems: [
          {
            Put: {
              TableName: 'alphapulse',
              Item: stored,
              ConditionExpression: 'attribute_not_exists(#n0)',
              ExpressionAttributeNames: { '#n0': 'pk' },
            },
          },
          {
            Update: {
              TableName: 'alphapulse',
              Key: { pk: { S: 'A' }, sk: { S: 'B' } },
              UpdateExpression: 'REMOVE #n0',
              ExpressionAttributeNames: { '#n0': 'until' },
            },
          },
          { Delete: { TableName: 'alphapulse', Key: { pk: { S: 'C' }, sk: { S: 'D' } } } },
          {
            ConditionCheck: {
              TableName: 'alphapulse',
              Key: { pk: { S: 'E' }, sk: { S: 'F' } },
              ConditionExpression: '#n0 = :v0',
              ExpressionAttributeNames: { '#n0': 'status' },
              ExpressionAttributeValues: { ':v0': { S: 'open' } },
            },
          },
        ],
      },
    ]);
  });

  it('tells which conditions did not hold, even next to a conflict', async () => {
    const { table, sent } = await given(
      reasons('None', 'ConditionalCheckFailed', 'TransactionConflict', 'ConditionalCheckFailed'),
    );
    const canceled = await table.transact([{ put: item }]).catch((error: unknown) => error);
    expect(canceled).toBeInstanceOf(TransactionCanceled);
    expect(canceled).toMatchObject({ failed: [1, 3] });
    expect(sent()).toHaveLength(1);
  });

  it('is made again under the same token after a conflict', async () => {
    const { table, sent } = await given(reasons('None', 'TransactionConflict'), reasons('ThrottlingError'), ok());
    await table.transact([{ put: item }]);
    expect(sent().map(({ ClientRequestToken }) => ClientRequestToken)).toEqual(['id-1', 'id-1', 'id-1']);
  });

  it('gives up when the conflict stays', async () => {
    const { table, sent } = await given(...Array.from({ length: 8 }, () => reasons('TransactionConflict')));
    await expect(table.transact([{ put: item }])).rejects.toBeInstanceOf(Unavailable);
    expect(sent()).toHaveLength(8);
  });

  it('passes on that a write itself is wrong', async () => {
    const { table } = await given(reasons('ValidationError'));
    await expect(table.transact([{ put: item }])).rejects.toMatchObject({ name: 'TransactionCanceledException' });
  });
});

describe('a table that can not be used', () => {
  it.each([
    ['is throttled', awsFailure('ProvisionedThroughputExceededException')],
    ['has too many requests', { status: 429, body: {} }],
    ['fails', awsFailure('InternalServerError', 'Internal server error', {}, 500)],
    ['fails at the gateway', { status: 503, body: '<html>Service Unavailable</html>' }],
    ['closes the connection', 'drop'],
  ] as const)('is unavailable when it %s', async (_, answer) => {
    const { table } = await given(answer);
    await expect(table.get(key)).rejects.toBeInstanceOf(Unavailable);
  });

  it('is timed out when it does not answer', async () => {
    const { table } = await given('hang');
    await expect(table.get(key)).rejects.toBeInstanceOf(TimedOut);
  });

  it('is unavailable when nobody listens', async () => {
    const table = new DynamoTable({
      client: dynamoClient({ ...towards({ url: 'http://127.0.0.1:1', requests: [], hangs: false }) }),
      tableName: 'alphapulse',
      clock: instantClock(),
      random: { number: () => 0, bytes: (length) => new Uint8Array(length) },
      ids: { next: () => 'id' },
    });
    await expect(table.get(key)).rejects.toBeInstanceOf(Unavailable);
  });
});
