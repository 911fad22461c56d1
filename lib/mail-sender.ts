import { ArnFormat, Stack } from 'aws-cdk-lib';
import { ConfigurationSet, ConfigurationSetTlsPolicy, EmailIdentity, Identity } from 'aws-cdk-lib/aws-ses';
import { Construct } from 'constructs';
import type { Settings } from './settings.ts';

/**
 * What mails are sent with. SES asks the owner of the sender's address to confirm it, unless the address or its domain is
 * an identity already, which another stage of the account may use as well.
 */
export class MailSender extends Construct {
  /** Every identity of the account: in the SES sandbox a recipient's identity is checked like the sender's. */
  readonly identitiesArn: string;
  readonly configurationSetArn: string;
  readonly configurationSetName: string;

  constructor(scope: Construct, id: string, { mailFrom, mailIdentity }: Settings) {
    super(scope, id);
    const configurationSet = new ConfigurationSet(this, 'ConfigurationSet', {
      tlsPolicy: ConfigurationSetTlsPolicy.REQUIRE,
      reputationMetrics: true,
    });
    if (mailIdentity === 'create') {
      new EmailIdentity(this, 'Identity', { identity: Identity.email(mailFrom), configurationSet });
    }
    this.identitiesArn = this.#arnOf('identity', '*');
    this.configurationSetName = configurationSet.configurationSetName;
    this.configurationSetArn = this.#arnOf('configuration-set', this.configurationSetName);
  }

  #arnOf(resource: string, resourceName: string): string {
    return Stack.of(this).formatArn({
      ...{ service: 'ses', resource, resourceName },
      arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
    });
  }
}
