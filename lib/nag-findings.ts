import { Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** Accepts what cdk-nag finds at a construct and within it, for a reason that holds for all of that. */
export const accept = (construct: IConstruct, rule: `AwsSolutions-${string}`, reason: string): void =>
  Validations.of(construct).acknowledge({ id: rule, reason });

/** Accepts that a role's policy names this resource, which holds a wildcard. */
export const acceptWildcard = (role: IConstruct, arn: string, reason: string): void =>
  accept(role, `AwsSolutions-IAM5[Resource::${flat(Stack.of(role).resolve(arn))}]`, reason);

/** Accepts that a role has this policy of AWS. */
export const acceptManagedPolicy = (role: IConstruct, arn: string, reason: string): void =>
  accept(role, `AwsSolutions-IAM4[Policy::${flat(Stack.of(role).resolve(arn))}]`, reason);

/** An ARN as cdk-nag writes it in a finding: `<AWS::Region>` for a reference. */
const flat = (value: unknown): string => {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) throw new TypeError('An ARN is made of texts and references');
  if ('Fn::Join' in value) {
    const [delimiter, parts] = value['Fn::Join'] as [string, unknown[]];
    return parts.map(flat).join(delimiter);
  }
  if ('Ref' in value) return `<${value.Ref}>`;
  throw new TypeError('An ARN with a wildcard is joined of texts and references');
};
