/** An emulator of AWS for the adapters. */
import type { TestProject } from 'vitest/node';
import { openAws } from '../e2e/ministack.ts';

declare module 'vitest' {
  interface ProvidedContext {
    awsEndpoint: string;
  }
}

export default async ({ provide }: TestProject): Promise<() => Promise<void>> => {
  const aws = await openAws('ministack-contract');
  provide('awsEndpoint', aws.url);
  return aws.close;
};
