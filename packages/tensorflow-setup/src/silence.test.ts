import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createSimulatedClock } from '@tutti/runtime';
import { buildAddon, findCompiler } from './build-addon.js';
import { withLock } from './lock.js';
import { createOwnDownloadWay } from './own-download.js';
import { tryBinding } from './try-binding.js';
import type { WayContext } from './way.js';
import { PINNED_WHEELS, unpackWheel } from './wheel.js';

/** What a slow pip, compiler or script looks like from here. */
const HANGS = '#!/bin/sh\nexec sleep 600\n';

(process.platform === 'linux' ? describe : describe.skip)(
  'after 10 s of silence the set-up says',
  () => {
    let folder: string;
    const environment = { ...process.env };
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'tutti-silence-'));
    });
    afterEach(async () => {
      process.env = { ...environment };
      await rm(folder, { recursive: true });
    });

    async function program(name: string, text = HANGS): Promise<string> {
      const path = join(folder, name);
      await writeFile(path, text);
      await chmod(path, 0o755);
      return path;
    }

    /** Lets time fly while something runs, whatever that takes, until a line fits; then stops it. */
    async function lineOf(start: (context: WayContext) => Promise<unknown>, fits: RegExp) {
      const clock = createSimulatedClock();
      const stop = new AbortController();
      const lines: string[] = [];
      const report = (line: string) => lines.push(line);
      const running = start({ report, clock, signal: stop.signal });
      let ended: unknown;
      running.catch((error) => {
        ended = error;
      });
      const found = () => lines.find((line) => fits.test(line));
      while (found() === undefined) {
        assert.equal(ended, undefined, lines.join('\n'));
        await new Promise(setImmediate);
        clock.advance(1000);
      }
      stop.abort();
      while (ended === undefined) {
        await new Promise(setImmediate);
        clock.advance(1000);
      }
      await assert.rejects(running, { code: 'ABORTED' });
      assert.match(found()!, /, for \d+ s now\. .{20,}\.$/);
    }

    it('whose lock it waits for, and how to go on without that process', async () => {
      const file = join(folder, 'x.lock');
      const owner = { pid: 1234, host: hostname(), token: 'x', beat: 0 };
      await writeFile(file, JSON.stringify(owner));
      const options = { isAlive: () => true, staleAfterMs: Number.POSITIVE_INFINITY };
      await lineOf(
        (context) => withLock(file, { ...context, ...options }, async () => {}),
        /^Waiting for process 1234 on \S+ to release the lock \S+x\.lock, for \d+ s .* \(kill 1234\)/,
      );
    });

    it('that the script of tfjs-node downloads, and from where', async () => {
      await mkdir(join(folder, 'scripts'));
      await writeFile(join(folder, 'scripts', 'install.js'), 'setInterval(() => {}, 1000);');
      const answers = createServer((_, response) => response.end()).listen(0, '127.0.0.1');
      await new Promise((resolve) => answers.once('listening', resolve));
      const url = `http://127.0.0.1:${(answers.address() as AddressInfo).port}/`;
      for (const name of ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'])
        delete process.env[name];
      process.env.TFJS_NODE_CDN_STORAGE = url;
      try {
        await lineOf(
          (context) => createOwnDownloadWay(folder).prepare(context),
          new RegExp(`^Waiting for ${url} and the script of tfjs-node to deliver about 100 MB`),
        );
      } finally {
        answers.closeAllConnections();
        answers.close();
      }
    });

    it('that pip downloads', async function () {
      const disk = await statfs(folder);
      if (disk.bavail * disk.bsize < 1.3e9) this.skip();
      await program('python3');
      process.env.PATH = `${folder}${delimiter}${process.env.PATH}`;
      await lineOf(
        (context) => unpackWheel(PINNED_WHEELS['linux-x64']!, folder, context),
        /^Waiting for pip and its package index to deliver tensorflow-cpu \S+ \(about 270 MB\)/,
      );
    });

    it('that the wheel is unpacked', async () => {
      await program('python3');
      process.env.PATH = `${folder}${delimiter}${process.env.PATH}`;
      const wheel = await program('x.whl', 'abc');
      const sha256 = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
      const pinned = { ...PINNED_WHEELS['linux-x64']!, sha256 };
      await lineOf(
        (context) => unpackWheel(pinned, folder, context, async () => wheel),
        /^Waiting for python3 and the disk to unpack 1 GB into \S+tutti-silence/,
      );
    });

    it('that a compiler is asked for its version', async () => {
      process.env.CXX = await program('cxx');
      await lineOf(findCompiler, /^Waiting for the compiler \S+cxx to tell its version/);
    });

    it('that the addon is compiled', async () => {
      process.env.CXX = await program('cxx', '#!/bin/sh\n[ "$1" = --version ] || exec sleep 600\n');
      await lineOf(
        (context) => buildAddon(folder, { folder, name: 'x' }, folder, context),
        /^Waiting for the compiler \S+cxx to compile the TensorFlow addon/,
      );
    });

    it('that the library is tried', async () => {
      await lineOf(
        tryBinding,
        /^Waiting for a process that tries native TensorFlow to load it and compute a gradient/,
      );
    });
  },
);
