import { describe, expect, inject, it } from 'vitest';
import type { Assembly, SecondDeployment } from '../deployment.ts';

declare module 'vitest' {
  interface ProvidedContext {
    secondDeployment: SecondDeployment & { readonly deployed: Assembly };
  }
}

const { diff, assembly, deployed } = inject('secondDeployment');

describe('a second deployment of the same sources', () => {
  it('has the same templates and assets', () => expect(assembly).toEqual(deployed));

  it('finds no difference to what is deployed', () => expect(diff, diff.output).toMatchObject({ exitCode: 0 }));
});
