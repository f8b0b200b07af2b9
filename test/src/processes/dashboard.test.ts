/// <reference lib="dom" />
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { type Command, tutti } from './command.js';
import { eachTest } from './each-test.js';
import type { Gate } from './gate.js';
import { gatedRegression, HELD_FLAGS } from './gated-program.js';

const CHROMIUM = '/usr/bin/chromium';

/** The page must not say anything on the console: neither of a script nor of its policy. */
interface OpenPage {
  readonly page: Page;
  readonly complaints: string[];
}

describe('the page of a run, in a browser,', function () {
  this.timeout(240_000);
  const each = eachTest(import.meta.url);
  let browser: Browser;
  let commands: Command[] = [];
  let gate: Gate | undefined;

  before(async function () {
    if (!existsSync(CHROMIUM)) {
      // In CI it must be there, so that this does not go untested.
      assert.notEqual(process.env.CI, 'true', `there is no ${CHROMIUM}`);
      console.warn(`      skipped: there is no ${CHROMIUM} (apt-get install chromium)`);
      this.skip();
    }
    const args = ['--no-sandbox'];
    browser = await chromium.launch({ executablePath: CHROMIUM, args, timeout: 0 });
  });
  after(() => browser?.close());
  afterEach(async () => {
    await gate?.close();
    gate = undefined;
    for (const command of commands) {
      command.process.kill('SIGKILL');
      await command.ended;
    }
    commands = [];
  });

  function start(...args: string[]): Command {
    const command = tutti(args);
    commands.push(command);
    return command;
  }

  async function open(
    url: string,
    options: Parameters<Browser['newPage']>[0] = {},
  ): Promise<OpenPage> {
    const page = await browser.newPage({ ...options, reducedMotion: 'reduce' });
    page.setDefaultTimeout(0);
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => {
      // That the server is gone at the end is known, and reading pixels is for this test alone.
      if (!/ERR_|willReadFrequently/.test(message.text())) complaints.push(message.text());
    });
    await page.goto(url);
    return { page, complaints };
  }

  /** Where the page of a run that was started is. */
  async function urlOf(command: Command): Promise<string> {
    const line = await command.line((said) => said.startsWith('watch the run: '), 'stderr');
    return line.slice('watch the run: '.length);
  }

  const says = (page: Page, selector: string, text: RegExp) =>
    page.waitForFunction(
      ([where, source]) =>
        new RegExp(source!).test(document.querySelector(where!)?.textContent ?? ''),
      [selector, text.source] as const,
    );

  /** How many pixels of the curve of the loss have the colour of a tone of the style sheet. */
  const pixelsOf = (page: Page, tone: string) =>
    page.evaluate((name) => {
      const hex = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
      const wanted = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
      const canvas = document.querySelector<HTMLCanvasElement>('figure.first canvas')!;
      const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
      let count = 0;
      for (let at = 0; at < data.length; at += 4)
        if (wanted.every((value, channel) => Math.abs(data[at + channel]! - value) < 8)) count++;
      return count;
    }, tone);

  it('shows its numbers, marks where a worker was killed, and keeps the end when the run is over', async () => {
    const gated = await gatedRegression(each.folder, 'step === 3 || step === 5', '{ epochs: 1 }');
    gate = gated.gate;
    const folder = join(each.folder.path, 'checkpoints');
    const command = start(
      ...['train', gated.program, '--workers', '2', '--min-workers', '1', '--json'],
      ...['--checkpoint-dir', folder, '--dashboard', '0', ...HELD_FLAGS],
    );
    const { page, complaints } = await open(await urlOf(command));

    await says(page, '#place', /^step 3 of 7 · epoch 1 of 1/);
    await says(page, '#phase', /^training$/);
    await says(page, '#workers', /w0.*w1/);
    assert.match((await page.textContent('#numbers'))!, /stored parameters8/);
    assert.match((await page.textContent('#weights .sum'))!, /The model reads 8 weights/);
    assert.ok((await pixelsOf(page, 'accent')) > 100, 'a curve is drawn');
    assert.equal(await pixelsOf(page, 'fault'), 0);

    process.kill((await each.roll.worker('w1')).pid, 'SIGKILL');
    await says(page, '#happened', /w1 was lost.*The others take its shards over/);
    await says(page, '#workers', /w1.*gone/);
    await says(page, '#announcer', /w1 was lost/);
    assert.equal(await page.getAttribute('#notice', 'data-tone'), 'fault');
    gate.open(3);
    await says(page, '#place', /^step 5 of 7/);
    await page.waitForFunction(() => document.documentElement.dataset.step === '5');
    assert.ok((await pixelsOf(page, 'fault')) > 50, 'the mark is on the curve');

    gate.open(7);
    const { code, stdout } = await command.ended;
    assert.equal(code, 0);
    await says(page, '#phase', /^finished$/);
    const { digest } = JSON.parse(stdout.trimEnd().split('\n').at(-1)!);
    assert.ok((await page.textContent('#result'))!.includes(digest));
    assert.deepEqual(complaints, []);

    // The same from what it left.
    const again = start('dashboard', folder, '--port', '0', '--json');
    const serving = JSON.parse(await again.line((line) => line.includes('"serving"')));
    const later = await open(serving.url);
    await says(later.page, '#phase', /^finished$/);
    await says(later.page, '#place', /^step 7 of 7/);
    await says(later.page, '#happened', /w1 was lost/);
    assert.ok((await later.page.textContent('#result'))!.includes(digest));
    assert.ok((await pixelsOf(later.page, 'fault')) > 50);
    const kept = (await readFile(join(folder, 'events.jsonl'), 'utf8')).split('\n');
    assert.equal(kept.filter((line) => line.includes('"step",')).length, 7);
    assert.deepEqual(later.complaints, []);
  });

  it('works with the keyboard, on a phone, in the dark and along the time', async () => {
    const gated = await gatedRegression(each.folder, 'step === 5', '{ epochs: 1 }');
    gate = gated.gate;
    const command = start(
      ...['train', gated.program, '--workers', '1', '--dashboard', '0', ...HELD_FLAGS],
      ...['--checkpoint-dir', join(each.folder.path, 'checkpoints')],
    );
    const { page, complaints } = await open(await urlOf(command), {
      viewport: { width: 360, height: 640 },
      colorScheme: 'dark',
    });
    await says(page, '#place', /^step 5 of 7/);
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= 360, `the page is ${width} wide`);
    const shade = await page.evaluate(
      () => getComputedStyle(document.documentElement).backgroundColor,
    );
    assert.match(shade, /^rgb\(1\d, /);

    const plot = page.getByRole('slider', { name: /^loss/ });
    await plot.focus();
    await page.keyboard.press('Home');
    assert.match((await plot.getAttribute('aria-valuetext'))!, /^[\d.]+ · step 1$/);
    await page.keyboard.press('ArrowRight');
    assert.match((await plot.getAttribute('aria-valuetext'))!, /· step 2$/);
    await page.getByRole('radio', { name: 'time' }).focus();
    await page.keyboard.press('Space');
    await plot.focus();
    await page.keyboard.press('Home');
    assert.match((await plot.getAttribute('aria-valuetext'))!, /· after [\d.]+ s$/);

    const focused: string[] = [];
    await page.locator('body').press('Tab');
    for (let tab = 0; tab < 12; tab++) {
      focused.push(await page.evaluate(() => document.activeElement?.textContent ?? ''));
      await page.keyboard.press('Tab');
    }
    assert.ok(focused.includes('Skip to the numbers') || focused.length > 5);
    assert.deepEqual(complaints, []);
  });

  it('follows a job elsewhere from its first step, and a coordinator that goes and comes back', async () => {
    const gated = await gatedRegression(each.folder, 'step === 3 || step === 5', '{ epochs: 1 }');
    gate = gated.gate;
    const checkpoints = ['--checkpoint-dir', join(each.folder.path, 'checkpoints')];
    const server = start('server', '--listen', 'tcp://127.0.0.1:0', '--json');
    const listening = async (command: Command) =>
      JSON.parse(await command.line((line) => line.includes('"listening"'))).address as string;
    const servers = ['--server-addresses', await listening(server)];
    const common = ['--workers', '1', '--json', ...servers, ...checkpoints, ...HELD_FLAGS];
    const first = start('coordinator', ...common, '--listen', 'tcp://127.0.0.1:0');
    const address = await listening(first);
    start('worker', gated.program, '--coordinator', address);
    await first.line((line) => line.includes('"step":3,'));

    // It comes late, and sees all.
    const dashboard = start('dashboard', '--coordinator', address, '--port', '0', '--json');
    const { url } = JSON.parse(await dashboard.line((line) => line.includes('"serving"')));
    const { page, complaints } = await open(url);
    await says(page, '#place', /^step 3 of 7/);
    const plot = page.getByRole('slider', { name: /^loss/ });
    await plot.focus();
    await page.keyboard.press('Home');
    assert.match((await plot.getAttribute('aria-valuetext'))!, /· step 1$/);
    await says(page, '#servers', /primary/);

    first.process.kill('SIGKILL');
    await first.ended;
    await says(page, '#notice', /The coordinator does not answer.*asked again every second/);
    await says(page, '#place', /^step 3 of 7/);
    const second = start('coordinator', ...common, '--listen', address);
    await listening(second);
    gate.open(3);
    await says(page, '#place', /^step 5 of 7/);
    await page.waitForFunction(
      () => !/does not answer/.test(document.querySelector('#notice')!.textContent!),
    );
    // The steps of before are still there.
    await plot.focus();
    await page.keyboard.press('Home');
    assert.match((await plot.getAttribute('aria-valuetext'))!, /· step 1$/);
    assert.deepEqual(complaints, []);
    gate.open(7);
    assert.equal((await second.ended).code, 0);
  });
});
