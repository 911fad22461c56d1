import { Queue } from 'aws-cdk-lib/aws-sqs';
import { describe, expect, it } from 'vitest';
import { compose, devSettings, ofType, prodSettings, propertiesOf, synthesize, textOf } from './templates.ts';

const complete = {
  ...devSettings,
  domain: 'api.example.com',
  socketDomain: 'live.example.com',
  certificateArn: 'arn:aws:acm:us-east-1:111111111111:certificate/1',
  hostedZoneId: 'Z111111QQQQQQQ',
};

const { hostedZoneId: _, ...elsewhere } = complete;

describe('synthesis', () => {
  it.each<[string, Readonly<Record<string, string>>]>([
    ['every setting in dev', complete],
    ['every setting in prod', { ...complete, ...prodSettings }],
    ['few settings in dev', devSettings],
    ['few settings in prod', prodSettings],
    ['a domain whose records are elsewhere', elsewhere],
    ['data that goes with its stack', { ...prodSettings, data: 'delete' }],
  ])('passes the AwsSolutions rules and those of CloudFormation with %s', (_, given) => {
    expect(() => compose(given, { validate: true }, ({ app }) => app.synth())).not.toThrow();
  });

  it('fails on a finding that nobody accepted', () => {
    compose({}, { validate: true }, ({ app, stateless }) => {
      new Queue(stateless, 'Careless');
      expect(() => app.synth()).toThrow(/Careless[\s\S]*AwsSolutions-SQS4/);
    });
  });
});

describe('domains of our own', () => {
  const { stateless } = synthesize(complete);
  const names = ofType('AWS::ApiGatewayV2::DomainName', stateless);

  it('are one for each API, with the certificate', () => {
    expect(names.map(([, { Properties }]) => Properties.DomainName).toSorted()).toEqual([
      'api.example.com',
      'live.example.com',
    ]);
    for (const [, { Properties }] of names) {
      expect(Properties.DomainNameConfigurations[0].CertificateArn).toBe(complete.certificateArn);
    }
  });

  it('take TLS from 1.2 on', () => {
    const policies = propertiesOf('AWS::ApiGatewayV2::DomainName', stateless).map(
      ({ DomainNameConfigurations }) => DomainNameConfigurations[0].SecurityPolicy,
    );
    expect(policies).toEqual(['TLS_1_2', 'TLS_1_2']);
  });

  it('lead to the APIs', () => {
    const led = propertiesOf('AWS::ApiGatewayV2::ApiMapping', stateless).map(({ DomainName, ApiId }) => [
      stateless[textOf(DomainName)]?.Properties.DomainName,
      stateless[textOf(ApiId)]?.Properties.ProtocolType,
    ]);
    expect(Object.fromEntries(led)).toEqual({ 'api.example.com': 'HTTP', 'live.example.com': 'WEBSOCKET' });
  });

  it('get their address records in the hosted zone', () => {
    const records = propertiesOf('AWS::Route53::RecordSet', stateless);
    expect(records.map(({ Name, HostedZoneId }) => [Name, HostedZoneId]).toSorted()).toEqual([
      ['api.example.com', complete.hostedZoneId],
      ['live.example.com', complete.hostedZoneId],
    ]);
  });

  it('are told with what their records have to point to where there is no hosted zone', () => {
    const { stateless: resources, urls } = synthesize(elsewhere);
    expect(ofType('AWS::Route53::RecordSet', resources)).toEqual([]);
    expect(Object.values(urls).map(({ Description }) => Description)).toEqual(
      expect.arrayContaining(['A CNAME record of api.example.com has to point here']),
    );
  });
});
