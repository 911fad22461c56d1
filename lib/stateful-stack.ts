import { ArnFormat, RemovalPolicy, Stack, type StackProps, Tags } from 'aws-cdk-lib';
import {
  AttributeType,
  BillingMode,
  ProjectionType,
  StreamViewType,
  Table,
  TableEncryption,
} from 'aws-cdk-lib/aws-dynamodb';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import type { FunctionEntry, SecretFamily, SecretName } from '../functions/manifest.ts';
import { accept } from './nag-findings.ts';
import type { Settings } from './settings.ts';

const secretCharacters = 64;

export interface StatefulStackProps extends StackProps {
  readonly settings: Settings;
  readonly functions: readonly FunctionEntry[];
}

/** What must outlive every deployment: the table and the secrets. They are deleted only where the settings say so. */
export class StatefulStack extends Stack {
  readonly table: Table;
  /** A secret's name is this, a slash, and its name in the manifest. */
  readonly secretsPrefix: string;
  readonly #secrets: ReadonlyMap<SecretName, Secret>;

  constructor(scope: Construct, id: string, { settings, functions, ...props }: StatefulStackProps) {
    const isProtected = settings.stage === 'prod' && settings.data === 'keep';
    const removalPolicy = settings.data === 'keep' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
    super(scope, id, { terminationProtection: isProtected, ...props });
    this.secretsPrefix = this.stackName;

    this.table = new Table(this, 'Table', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      stream: StreamViewType.NEW_AND_OLD_IMAGES,
      timeToLiveAttribute: 'expiresAt',
      encryption: TableEncryption.AWS_MANAGED,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: isProtected,
      removalPolicy,
    });
    for (const indexName of ['gsi1', 'gsi2']) {
      this.table.addGlobalSecondaryIndex({
        indexName,
        partitionKey: { name: `${indexName}pk`, type: AttributeType.STRING },
        sortKey: { name: `${indexName}sk`, type: AttributeType.STRING },
        projectionType: ProjectionType.ALL,
      });
    }

    const names = new Set(functions.flatMap(({ grants }) => grants.secrets ?? []));
    this.#secrets = new Map([...names].map((name) => [name, this.#createSecret(name, removalPolicy)]));
    if (settings.data === 'delete') {
      // CloudFormation takes over a deletion policy only together with another change of the resource.
      Tags.of(this).add('data', 'delete');
    }
  }

  /** @throws {Error} no function of the manifest is granted the secret, so it was not made */
  secretArn(name: SecretName): string {
    const secret = this.#secrets.get(name);
    if (secret === undefined) throw new Error(`There is no secret ${name}`);
    return secret.secretArn;
  }

  /** Every secret of the family; functions make them. */
  secretFamilyArn(family: SecretFamily): string {
    return this.formatArn({
      service: 'secretsmanager',
      resource: 'secret',
      resourceName: `${this.secretsPrefix}/${family}/*`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
  }

  #createSecret(name: SecretName, removalPolicy: RemovalPolicy): Secret {
    const secret = new Secret(this, name, {
      secretName: `${this.secretsPrefix}/${name}`,
      generateSecretString: { passwordLength: secretCharacters, excludePunctuation: true },
      removalPolicy,
    });
    accept(
      secret,
      'AwsSolutions-SMG4',
      'The function rotate-keys renews the signing keys in theirs; a new one for webhooks changes every signature, and a new one for users ends every second factor, so that an operator decides when.',
    );
    return secret;
  }
}
