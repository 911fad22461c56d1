import { inject } from 'vitest';
import { openDynamoTable } from './dynamo-table.ts';
import { tableContract, tableRefusals } from './table.contract.ts';

const open = () => openDynamoTable(inject('dynamoDbEndpoint'));

tableContract('DynamoDB Local', open);
tableRefusals('DynamoDB Local', open);
