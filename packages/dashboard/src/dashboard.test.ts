import assert from 'node:assert/strict';
import { request } from 'node:http';
import { type Dashboard, startDashboard } from './dashboard.js';
import { at, startedEvent, stepEvent } from './testing.js';
import type { Update } from './view.js';

interface Answer {
  readonly code: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
}

function ask(
  url: string,
  options: { method?: string; host?: string; path?: string } = {},
): Promise<Answer> {
  const { method = 'GET', host, ...path } = options;
  return new Promise((resolve, reject) => {
    const headers = host === undefined ? {} : { host };
    const asked = request(url, { method, headers, agent: false, ...path }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
      });
      response.on('end', () =>
        resolve({ code: response.statusCode!, headers: response.headers, text }),
      );
    });
    asked.on('error', reject);
    asked.end();
  });
}

/** The updates that a page gets, as they come. */
async function* updates(url: string): AsyncGenerator<Update> {
  const response = await fetch(`${url}updates`);
  let text = '';
  for await (const part of response.body!.pipeThrough(new TextDecoderStream())) {
    text += part;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const line = text.slice(0, end);
      text = text.slice(end + 2);
      if (line.startsWith('data: ')) yield JSON.parse(line.slice(6));
    }
  }
}

describe('the dashboard', () => {
  let dashboard: Dashboard;
  beforeEach(async () => {
    dashboard = await startDashboard({ port: 0 });
  });
  afterEach(() => dashboard.close());

  it('has no page at a path that is none', async () => {
    for (const path of ['//', '//[', 'http://', '/%', '/metrics/../..'])
      assert.equal((await ask(dashboard.url, { path })).code, 404, path);
    assert.equal((await ask(dashboard.url, { path: '/metrics?now' })).code, 200);
  });

  it('gives a page that may load nothing from elsewhere and run nothing inline', async () => {
    const { code, headers, text } = await ask(dashboard.url);
    assert.equal(code, 200);
    const policy = String(headers['content-security-policy']);
    assert.match(policy, /default-src 'none'; script-src 'self' 'sha256-[\w+/]+=';/);
    assert.doesNotMatch(policy, /unsafe|https?:|\*/);
    assert.doesNotMatch(text, /https?:\/\/(?!www\.w3\.org)|style=/);
    for (const [, file] of text.matchAll(/(?:src|href)="([\w.]+)"/g)) {
      const asset = await ask(`${dashboard.url}${file}`);
      assert.equal(asset.code, 200, file);
      assert.equal(asset.headers['x-content-type-options'], 'nosniff');
    }
  });

  it('has every module that a module of the page imports', async () => {
    const seen = new Set<string>();
    const map = JSON.parse(/importmap">(.*?)</.exec((await ask(dashboard.url)).text)![1]!).imports;
    async function load(file: string) {
      if (seen.has(file)) return;
      seen.add(file);
      const { code, headers, text } = await ask(`${dashboard.url}${file}`);
      assert.equal(code, 200, file);
      assert.match(String(headers['content-type']), /^text\/javascript/);
      for (const [, name] of text.matchAll(/^(?:import|export)\b.*?from '([^']+)'/gm))
        await load((map[name!] ?? name!).replace(/^\.{1,2}\//, ''));
    }
    await load('main.js');
    assert.ok(seen.size > 10 && seen.has('uplot.js'));
  });

  it('answers nobody who calls it by another name, and gives nothing but what it has', async () => {
    for (const host of ['evil.example', '127.0.0.1.evil.example', '10.0.0.5:29600'])
      assert.equal((await ask(dashboard.url, { host })).code, 403, host);
    assert.equal((await ask(dashboard.url, { host: 'localhost:29600' })).code, 200);
    for (const path of ['..%2f..%2fpackage.json', '../package.json', 'src/index.ts', '%00'])
      assert.equal((await ask(dashboard.url + path)).code, 404, path);
    assert.equal((await ask(dashboard.url, { method: 'POST' })).code, 405);
  });

  it('gives Prometheus the numbers of the run', async () => {
    assert.equal(dashboard.watched(), false);
    dashboard.event(at(0, startedEvent()));
    dashboard.event(at(9, stepEvent(7)));
    const { headers, text } = await ask(`${dashboard.url}metrics`);
    assert.match(String(headers['content-type']), /^text\/plain; version=0\.0\.4/);
    assert.match(text, /^tutti_step\{program="line",job="j1"\} 7$/m);
    assert.equal(dashboard.watched(), true);
  });

  it('tells a page all at first, then what is new, and the end before it ends itself', async () => {
    dashboard.event(at(0, startedEvent()));
    for (let step = 1; step <= 3; step++) dashboard.event(at(step, stepEvent(step)));
    const page = updates(dashboard.url);
    const first = (await page.next()).value as Update;
    assert.deepEqual([first.view.step, first.curves.start, first.curves.points.length], [3, 0, 3]);
    dashboard.event(at(4, stepEvent(4)));
    const second = (await page.next()).value as Update;
    assert.deepEqual(
      [second.view.step, second.curves.start, second.curves.points.length],
      [4, 3, 1],
    );
    dashboard.event(at(5, stepEvent(5)));
    await dashboard.close();
    const rest = [];
    for await (const update of page) rest.push(update.view.step);
    assert.deepEqual(rest, [5]);
  });

  it('says what to do where its port is taken', async () => {
    const port = Number(new URL(dashboard.url).port);
    await assert.rejects(startDashboard({ port }), {
      code: 'ADDRESS_UNAVAILABLE',
      message: new RegExp(`Port ${port} .*another process listens there`),
    });
  });
});
