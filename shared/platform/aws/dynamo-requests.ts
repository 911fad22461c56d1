import type { TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import type { Changes, Delete, Item, Key, Put, Write, WriteCondition } from '../table.ts';
import { Expressions } from './expressions.ts';

/** A write of a batch, as DynamoDB takes it and gives it back when it was left over. */
export type BatchWrite = { PutRequest: { Item: Item } } | { DeleteRequest: { Key: Key } };
type TransactItem = NonNullable<TransactWriteCommandInput['TransactItems']>[number];

/** The key and nothing else: whole items are passed as keys, too, and DynamoDB refuses what is not of the key. */
export const keyOnly = ({ pk, sk }: Key): Key => ({ pk, sk });

export const batchWriteOf = (write: Put | Delete): BatchWrite =>
  'put' in write ? { PutRequest: { Item: write.put } } : { DeleteRequest: { Key: keyOnly(write.delete) } };

/** The part of a request that holds its condition. */
export const conditional = (condition: WriteCondition | undefined) =>
  condition === undefined ? {} : conditionOf(condition);

/** The part of a request that holds its changes and its condition. */
export const updating = (changes: Changes, condition: WriteCondition | undefined) => {
  const expressions = new Expressions();
  const update = expressions.update(changes);
  return {
    ...(update !== undefined && { UpdateExpression: update }),
    ...(condition !== undefined && { ConditionExpression: expressions.condition(condition) }),
    ...expressions.placeholders(),
  };
};

export const transactItemOf = (tableName: string, write: Write): TransactItem => {
  const TableName = tableName;
  if ('put' in write) return { Put: { TableName, Item: write.put, ...conditional(write.if) } };
  if ('delete' in write) return { Delete: { TableName, Key: keyOnly(write.delete), ...conditional(write.if) } };
  if ('check' in write) return { ConditionCheck: { TableName, Key: keyOnly(write.check), ...conditionOf(write.if) } };
  return {
    Update: {
      TableName,
      Key: keyOnly(write.update),
      UpdateExpression: undefined,
      ...updating(write.changes, write.if),
    },
  };
};

const conditionOf = (condition: WriteCondition) => {
  const expressions = new Expressions();
  return { ConditionExpression: expressions.condition(condition), ...expressions.placeholders() };
};
