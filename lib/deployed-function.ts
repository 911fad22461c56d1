import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { FunctionEntry } from '../functions/manifest.ts';

/** An entry of the manifest with its name. */
export type NamedEntry = FunctionEntry & { readonly name: string };

/** A function as the other constructs see it: what it was declared to be, and what it became. */
export interface DeployedFunction {
  readonly entry: NamedEntry;
  readonly lambda: LambdaFunction;
}
