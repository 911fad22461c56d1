import { generate } from 'lean-qr';
import { toSvgSource } from 'lean-qr/extras/svg';

/** The QR code of a text, black on white, as an SVG image in a data URL. */
export const totpQr = (uri: string): string => {
  const svg = toSvgSource(generate(uri), { on: 'black', off: 'white', scale: 1 });
  return `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`;
};
