import { describe, expect, it } from 'vitest';
import { SES_OPTIONS, SesMailer, sesClient } from '#shared/platform/aws/ses-mailer';
import { InvalidInput, Unavailable } from '#shared/platform/errors';
import { type Answer, httpRecorder, towards } from '../../../support/http-recorder.ts';

const given = async (answer?: Answer, configurationSet?: string) => {
  const recorder = await httpRecorder(...(answer === undefined ? [] : [answer]));
  const mailer = new SesMailer({ client: sesClient(towards(recorder)), from: 'alerts@example.com', configurationSet });
  return { mailer, sent: () => recorder.requests.map(({ body }) => Object.fromEntries(new URLSearchParams(body))) };
};

const mail = { id: 'm1', to: 'ada@example.com', subject: 'BTC ↑ 70000', text: 'Preis über 70000', html: '<p>ü</p>' };

const xml = (status: number, body: string): Answer => ({ status, headers: { 'content-type': 'text/xml' }, body });
const accepted = xml(
  200,
  '<SendEmailResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/"><SendEmailResult><MessageId>1</MessageId></SendEmailResult></SendEmailResponse>',
);
const refusal = (code: string, status = 400) =>
  xml(
    status,
    `<ErrorResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${code}</Message></Error><RequestId>r</RequestId></ErrorResponse>`,
  );

describe('the client', () => {
  it('waits for SES long enough, and leaves further attempts to the queue', async () => {
    const { config } = sesClient({ region: 'us-east-1' });
    expect(await config.maxAttempts()).toBe(1);
    expect(SES_OPTIONS.requestHandler).toMatchObject({ requestTimeout: 10_000, throwOnRequestTimeout: true });
  });
});

describe('a mail', () => {
  it('is sent as text and HTML in UTF-8', async () => {
    const { mailer, sent } = await given(accepted, 'alphapulse');
    await mailer.send(mail);
    expect(sent()).toEqual([
      {
        Action: 'SendEmail',
        Version: '2010-12-01',
        Source: 'alerts@example.com',
        ConfigurationSetName: 'alphapulse',
        'Destination.ToAddresses.member.1': 'ada@example.com',
        'Message.Subject.Data': 'BTC ↑ 70000',
        'Message.Subject.Charset': 'UTF-8',
        'Message.Body.Text.Data': 'Preis über 70000',
        'Message.Body.Text.Charset': 'UTF-8',
        'Message.Body.Html.Data': '<p>ü</p>',
        'Message.Body.Html.Charset': 'UTF-8',
      },
    ]);
  });

  it('needs no configuration set', async () => {
    const { mailer, sent } = await given(accepted);
    await mailer.send(mail);
    expect(sent()[0]).not.toHaveProperty('ConfigurationSetName');
  });

  it.each([
    { to: 'ada@example.com\r\nBcc: all@example.com' },
    { subject: 'hello\nBcc: all@example.com' },
    { subject: 'hello\rBcc: all@example.com' },
  ])('with a line break in its head is refused: %j', async (part) => {
    const { mailer, sent } = await given();
    await expect(mailer.send({ ...mail, ...part })).rejects.toMatchObject({
      code: 'invalid-input',
      path: Object.keys(part)[0],
    });
    expect(sent()).toEqual([]);
  });

  it.each([
    ['MessageRejected', InvalidInput],
    ['AccessDenied', InvalidInput],
    ['Throttling', Unavailable],
    ['AccountSendingPausedException', Unavailable],
  ])('that meets %s fails as %o', async (code, expected) => {
    const { mailer } = await given(refusal(code));
    await expect(mailer.send(mail)).rejects.toBeInstanceOf(expected);
  });
});
