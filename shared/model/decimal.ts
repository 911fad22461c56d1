import { Decimal as DecimalJs } from 'decimal.js';

/**
 * Decimal arithmetic for amounts, prices and fees. Its precision of 80 significant digits holds every product of two
 * decimal strings exactly; decimal.js itself rounds at 20.
 */
export const Decimal = DecimalJs.clone({ precision: 80 });
export type Decimal = DecimalJs;
