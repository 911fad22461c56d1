import { Logger } from '@aws-lambda-powertools/logger';
import { expect, it } from 'vitest';
import { SecretsManagerSecrets, secretsManagerClient } from '#shared/platform/aws/secrets-manager';
import { httpApi, tokenOf } from '../../support/http-events.ts';
import { type Answer, awsFailure, httpRecorder, towards } from '../../support/http-recorder.ts';
import { testPlatform } from '../../support/test-platform.ts';

const login = { email: 'ada@example.com', password: 'correct horse battery' };
const missing = awsFailure('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
/** The role of a function may read its secrets but not create any. */
const mayNot = awsFailure('AccessDeniedException', 'User: arn:aws:sts::123456789012:assumed-role/users-api is not ...');

const given = async (...answers: Answer[]) => {
  const { platform, clock, user } = testPlatform();
  const lines: string[] = [];
  const logger = new Logger({ serviceName: 'test', logLevel: 'WARN' });
  const keep = (line: unknown) => void lines.push(String(line));
  Object.assign(logger, { console: { warn: keep, error: keep } });
  const client = secretsManagerClient(towards(await httpRecorder(...answers)));
  const secrets = new SecretsManagerSecrets({ client, prefix: 'alphapulse-dev-state', clock });
  const userId = await user(login.email);
  return { platform, userId, http: await httpApi({ ...platform, logger, secrets }), lines };
};

it('a signing secret that is missing on AWS fails logins only, is named in the log, and not revealed to callers', async () => {
  const stored: Answer = { body: { Name: 'n', SecretString: 'material' } };
  const { platform, userId, http, lines } = await given(missing, mayNot, stored, stored);
  const answer = await http.request('POST', '/api/user/login', { body: login });
  expect(answer.body).toMatchObject({ status: 500, type: '/problems/internal' });
  expect(answer.text).not.toMatch(/secret|AccessDenied|arn:/i);
  expect(lines.join('\n')).toContain('The secret store refused the request for alphapulse-dev-state/token-signing');

  const token = await tokenOf(platform, userId, 'admin');
  expect((await http.request('GET', '/api/user/profile', { token })).status).toBe(200);
  expect((await http.request('POST', '/api/user/login', { body: login })).status).toBe(200);
});
