import * as z from 'zod';

/** A decimal number as a string, without exponent: the form in which money is stored, computed with and answered. */
export const DecimalString = z
  .string()
  .regex(/^-?(0|[1-9]\d{0,17})(\.\d{1,18})?$/, 'must be a decimal number in a string, such as "70000.5"')
  .meta({
    id: 'Decimal',
    description: 'A decimal number with at most 18 digits before and after the point',
    examples: ['70000.5'],
  });

/** A price: a positive decimal. */
export const Price = DecimalString.refine(
  (value) => !value.startsWith('-') && /[1-9]/.test(value),
  'must be greater than 0',
);
