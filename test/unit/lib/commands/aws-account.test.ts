import { LambdaClient } from '@aws-sdk/client-lambda';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { expect, it } from 'vitest';
import { SignedInAccount } from '../../../../lib/commands/aws-account.ts';
import { type Answer, httpRecorder, operationOf, towards } from '../../../support/http-recorder.ts';

const given = async (...answers: Answer[]) => {
  const recorder = await httpRecorder(...answers);
  const account = new SignedInAccount({
    lambda: new LambdaClient(towards(recorder)),
    secrets: new SecretsManagerClient(towards(recorder)),
  });
  return { account, requests: recorder.requests };
};

it('deletes every secret with the prefix for good, page by page', async () => {
  const page = (names: readonly string[], NextToken?: string): Answer => ({
    body: { SecretList: names.map((Name) => ({ Name })), NextToken },
  });
  const { account, requests } = await given(
    page(['state/keys/1', 'state/keys/2'], 'next'),
    // What the filter finds besides is left alone.
    page(['state/keys/3', 'STATE/keys/4']),
    ...Array.from({ length: 3 }, (): Answer => ({ body: {} })),
  );
  expect(await account.deleteSecrets('state/keys/')).toBe(3);
  const sent = requests.map((request) => ({ operation: operationOf(request), ...JSON.parse(request.body) }));
  const listing = {
    operation: 'ListSecrets',
    Filters: [{ Key: 'name', Values: ['state/keys/'] }],
    IncludePlannedDeletion: true,
  };
  expect(sent).toEqual([
    listing,
    { ...listing, NextToken: 'next' },
    ...[1, 2, 3].map((number) => ({
      operation: 'DeleteSecret',
      SecretId: `state/keys/${number}`,
      ForceDeleteWithoutRecovery: true,
    })),
  ]);
});

it('reads how many functions may run at once', async () => {
  const { account, requests } = await given({ body: { AccountLimit: { ConcurrentExecutions: 10 } } });
  expect(await account.concurrentExecutions()).toBe(10);
  expect(requests[0]?.path).toMatch(/\/account-settings\/?$/);
});
