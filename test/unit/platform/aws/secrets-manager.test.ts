import { describe, expect, it } from 'vitest';
import { SecretsManagerSecrets, secretsManagerClient } from '#shared/platform/aws/secrets-manager';
import { Unavailable } from '#shared/platform/errors';
import { type Answer, awsFailure, httpRecorder, operationOf, towards } from '../../../support/http-recorder.ts';
import { instantClock } from '../../../support/instant-clock.ts';

const given = async (...answers: Answer[]) => {
  const recorder = await httpRecorder(...answers);
  const clock = instantClock();
  const secrets = new SecretsManagerSecrets({
    client: secretsManagerClient(towards(recorder)),
    prefix: 'alphapulse',
    clock,
  });
  const sent = () =>
    recorder.requests.map((request) => ({ operation: operationOf(request), ...JSON.parse(request.body) }));
  const operations = () => recorder.requests.map(operationOf);
  return { secrets, clock, sent, operations };
};

const holding = (value: string): Answer => ({ body: { Name: 'n', SecretString: value } });
const missing = awsFailure('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
const awaitingDeletion = awsFailure('InvalidRequestException', 'The secret is scheduled for deletion.');
const exists = awsFailure('ResourceExistsException', 'The operation failed because the secret already exists.');
const ok: Answer = { body: {} };

describe('get', () => {
  it('reads a secret once a minute', async () => {
    const { secrets, clock, sent } = await given(holding('one'), holding('two'));
    expect(await secrets.get('jwt')).toBe('one');
    clock.advance(59_999);
    expect(await secrets.get('jwt')).toBe('one');
    clock.advance(1);
    expect(await secrets.get('jwt')).toBe('two');
    expect(sent()[0]).toEqual({ operation: 'GetSecretValue', SecretId: 'alphapulse/jwt' });
  });

  it.each([
    ['does not exist', missing],
    ['awaits its deletion', awaitingDeletion],
  ])('gives nothing when the secret %s, and asks again', async (_, answer) => {
    const { secrets } = await given(answer, holding('new'));
    expect(await secrets.get('jwt')).toBeUndefined();
    expect(await secrets.get('jwt')).toBe('new');
  });

  it('shows nothing of an answer that can not be read', async () => {
    const { secrets } = await given({ body: 'hunter2' });
    const failure = await secrets.get('jwt').catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Error);
    expect(`${failure instanceof Error && [failure.message, failure.stack, failure.cause]}`).not.toContain('hunter2');
  });

  it('is unavailable when throttled', async () => {
    const { secrets } = await given(awsFailure('ThrottlingException'));
    await expect(secrets.get('jwt')).rejects.toBeInstanceOf(Unavailable);
  });

  it('keeps a bounded number of values', async () => {
    const { secrets, operations } = await given(...Array.from({ length: 502 }, () => holding('v')));
    for (let number = 0; number <= 500; number++) await secrets.get(`s${number}`);
    await secrets.get('s500');
    expect(operations()).toHaveLength(501);
    await secrets.get('s0');
    expect(operations()).toHaveLength(502);
  });
});

describe('put', () => {
  it('replaces the value and gives it at once', async () => {
    const { secrets, sent } = await given(holding('old'), ok);
    await secrets.get('jwt');
    await secrets.put('jwt', 'new');
    expect(await secrets.get('jwt')).toBe('new');
    expect(sent()[1]).toMatchObject({ operation: 'PutSecretValue', SecretId: 'alphapulse/jwt', SecretString: 'new' });
  });

  it('creates a secret that does not exist', async () => {
    const { secrets, sent } = await given(missing, ok);
    await secrets.put('jwt', 'new');
    expect(sent()[1]).toMatchObject({ operation: 'CreateSecret', Name: 'alphapulse/jwt', SecretString: 'new' });
  });

  it('replaces nothing that an operator can still bring back', async () => {
    const { secrets, operations } = await given(awaitingDeletion);
    await expect(secrets.put('jwt', 'new')).rejects.toThrow('The secret store refused the request for alphapulse/jwt');
    expect(operations()).toEqual(['PutSecretValue']);
  });
});

describe('create', () => {
  it('stores a new secret', async () => {
    const { secrets, operations } = await given(ok);
    expect(await secrets.create('jwt', 'mine')).toBe('mine');
    expect(await secrets.get('jwt')).toBe('mine');
    expect(operations()).toEqual(['CreateSecret']);
  });

  it('gives the value of whoever was first', async () => {
    const { secrets } = await given(exists, holding('theirs'));
    expect(await secrets.create('jwt', 'mine')).toBe('theirs');
    expect(await secrets.get('jwt')).toBe('theirs');
  });

  it.each([
    ['awaits its deletion', [awaitingDeletion], ['CreateSecret']],
    ['is deleted meanwhile', [exists, awaitingDeletion], ['CreateSecret', 'GetSecretValue']],
  ])('does not take the place of a secret that %s', async (_, answers, sent) => {
    const { secrets, operations } = await given(...answers);
    await expect(secrets.create('jwt', 'mine')).rejects.toThrow('The secret store refused the request');
    expect(operations()).toEqual(sent);
  });

  it('replaces nothing that it can not read yet', async () => {
    const { secrets, operations } = await given(exists, missing);
    await expect(secrets.create('jwt', 'mine')).rejects.toThrow();
    expect(operations()).toEqual(['CreateSecret', 'GetSecretValue']);
  });
});

describe('delete', () => {
  it('leaves a week to recover it, and is forgotten at once', async () => {
    const { secrets, sent } = await given(holding('old'), ok, awaitingDeletion);
    await secrets.get('jwt');
    await secrets.delete('jwt');
    expect(await secrets.get('jwt')).toBeUndefined();
    expect(sent()[1]).toEqual({ operation: 'DeleteSecret', SecretId: 'alphapulse/jwt', RecoveryWindowInDays: 7 });
  });

  it('does nothing when there is no such secret', async () => {
    const { secrets } = await given(missing);
    await expect(secrets.delete('jwt')).resolves.toBeUndefined();
  });
});
