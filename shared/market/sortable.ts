/**
 * A decimal as a string that sorts as the number does. Zero and positive numbers: the count of integer digits, then the
 * digits without trailing zeros. Negative ones: a minus sign, which sorts before digits, then the same of the absolute
 * value with each digit complemented to 9, so that larger absolute values come first, and a `~`, which sorts after `.`
 * and all digits, so that -1.5 comes before -1.
 *
 * In a sort key a `#` follows, which sorts before `.`, `~` and all digits.
 * @param decimal plain digits without exponent, with fewer than 100 before the point
 */
export const sortable = (decimal: string): string => {
  const [integer = '0', fraction = ''] = decimal.replace('-', '').split('.');
  const digits = integer.replace(/^0+(?=\d)/, '');
  const rest = fraction.replace(/0+$/, '');
  const absolute = `${String(digits.length).padStart(2, '0')}:${digits}${rest === '' ? '' : `.${rest}`}`;
  const isNegative = decimal.startsWith('-') && /[1-9]/.test(decimal);
  return isNegative ? `-${absolute.replaceAll(/\d/g, (digit) => String(9 - Number(digit)))}~` : absolute;
};
