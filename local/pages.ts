import { createHash, timingSafeEqual } from 'node:crypto';
import { HttpProblem } from '#functions/http/problem';
import type { OutboxMail } from '#shared/platform/sqlite/outbox';
import type { LocalPage } from './gateway.ts';
import type { Answer } from './http-answer.ts';

const mailsMax = 100;
const refreshSeconds = 10;

/** The first page: what runs here. */
export const homePage: LocalPage = () =>
  htmlPage(
    'AlphaPulse',
    `<h1>AlphaPulse</h1>
<p>AlphaPulse runs here.</p>
<ul>
<li><a href="/openapi.json">The API</a>, an OpenAPI document</li>
<li><a href="/health">Health</a></li>
</ul>`,
  );

/**
 * The mails, newest first: for people, or as JSON.
 * @param token whoever has it may read them; mails hold what resets passwords
 */
export const outboxPage =
  (token: string, newest: (limit: number) => readonly OutboxMail[]): LocalPage =>
  ({ accept, query }) => {
    if (!isSame(query.get('token') ?? '', token)) {
      throw new HttpProblem(
        'forbidden',
        'The outbox needs the token of this start: its whole address was printed then, and is in outbox-url.txt of the data folder.',
      );
    }
    const mails = newest(mailsMax);
    if (!accept.includes('text/html')) {
      return {
        status: 200,
        headers: { 'content-type': 'application/json', vary: 'Accept' },
        body: JSON.stringify({ items: mails, nextCursor: null }),
      };
    }
    const list = mails.length === 0 ? '<p>No mail was sent yet.</p>' : mails.map(mailArticle).join('\n');
    const refresh = `<meta http-equiv="refresh" content="${refreshSeconds}">`;
    return htmlPage(
      'Outbox',
      `<h1>Outbox</h1>\n<p><a href="/">AlphaPulse</a></p>\n${list}`,
      mails.length ? '' : refresh,
    );
  };

/** In a time that does not depend on how much of them is the same. */
const isSame = (given: string, token: string): boolean => timingSafeEqual(hashOf(given), hashOf(token));

const hashOf = (text: string): Buffer => createHash('sha256').update(text).digest();

const mailArticle = ({ to, subject, html, text, at }: OutboxMail): string => {
  const time = new Date(at).toISOString();
  // The mail's own markup can run nothing and reach nothing; its links open in a new tab.
  const document = `<base target="_blank"><meta name="color-scheme" content="light">${html}`;
  return `<article>
<h2>${escaped(subject)}</h2>
<p>To ${escaped(to)}, <time datetime="${time}">${time.replace('T', ' ').slice(0, 19)} UTC</time></p>
<iframe title="${escaped(subject)}" sandbox="allow-popups allow-popups-to-escape-sandbox" srcdoc="${escaped(document)}"></iframe>
<details><summary>As text</summary><pre>${escaped(text)}</pre></details>
</article>`;
};

const style = `
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { max-width: 46rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
article { border: 1px solid color-mix(in srgb, currentColor 25%, transparent); border-radius: .5rem; padding: 0 1rem 1rem; margin: 1rem 0; }
h2 { font-size: 1.1rem; margin-bottom: 0; }
article p { margin-top: .25rem; }
iframe { width: 100%; height: 20rem; border: 0; border-radius: .25rem; background: #fff; }
pre { white-space: pre-wrap; }
:focus-visible { outline: 3px solid Highlight; outline-offset: 2px; }`;

const htmlPage = (title: string, body: string, head = ''): Answer => ({
  status: 200,
  headers: {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy':
      "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    vary: 'Accept',
  },
  body: `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>${head}
<style>${style}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`,
});

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
