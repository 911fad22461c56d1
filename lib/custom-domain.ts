import { CfnOutput } from 'aws-cdk-lib';
import { DomainName, SecurityPolicy } from 'aws-cdk-lib/aws-apigatewayv2';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { CfnRecordSet } from 'aws-cdk-lib/aws-route53';
import { Construct } from 'constructs';
import type { Domains } from './settings.ts';

/**
 * A name of our own for an API, with its address record where its hosted zone is known. Otherwise an output tells what
 * a CNAME record has to point to. The name that AWS gave goes on working: functions push to connections by it.
 */
export class CustomDomain extends Construct {
  readonly domainName: DomainName;

  constructor(
    scope: Construct,
    id: string,
    name: string,
    { certificateArn, hostedZoneId }: Pick<Domains, 'certificateArn' | 'hostedZoneId'>,
  ) {
    super(scope, id);
    this.domainName = new DomainName(this, 'Name', {
      domainName: name,
      certificate: Certificate.fromCertificateArn(this, 'Certificate', certificateArn),
      securityPolicy: SecurityPolicy.TLS_1_2,
    });
    if (hostedZoneId === undefined) {
      new CfnOutput(this, 'Target', {
        description: `A CNAME record of ${name} has to point here`,
        value: this.domainName.regionalDomainName,
      });
      return;
    }
    new CfnRecordSet(this, 'Address', {
      name,
      type: 'A',
      hostedZoneId,
      aliasTarget: {
        dnsName: this.domainName.regionalDomainName,
        hostedZoneId: this.domainName.regionalHostedZoneId,
      },
    });
  }
}
