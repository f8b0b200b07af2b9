import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

const onLinux = process.platform === 'linux' ? describe : describe.skip;

onLinux('a process without open files to spare', () => {
  /** Runs code that can hold all files that it may have, and let them go, and gives what it prints. */
  async function running(code: string): Promise<unknown> {
    const source = `
      import { closeSync, openSync } from 'node:fs';
      const held = [];
      const hold = (spare) => {
        try { for (;;) held.push(openSync('/dev/null')); } catch {}
        for (const file of held.splice(0, spare)) closeSync(file);
      };
      const free = () => { for (const file of held.splice(0)) closeSync(file); };
      const module = (name) => import(${JSON.stringify(new URL('./', import.meta.url))} + name);
      ${code}`;
    const node = [process.execPath, '--import', 'tsx', '--input-type=module', '--eval', source];
    const child = spawn('sh', ['-c', 'ulimit -n 200 && exec "$@"', 'sh', ...node]);
    const closed = once(child, 'close');
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    assert.deepEqual(await closed, [0, null], stderr);
    return JSON.parse(stdout);
  }

  it('listens with a key once there are some', async () => {
    const told = await running(`
      const { createZmqTransport } = await module('zmq-transport.ts');
      const transport = createZmqTransport({ key: new Uint8Array(32) });
      const listen = () => transport.listen('tcp://127.0.0.1:0', { message() {} });
      hold(1);
      const first = await listen().then(() => 'listens', ({ code }) => code);
      free();
      await (await listen()).close(0);
      console.log(JSON.stringify(first));`);
    assert.equal(told, 'EMFILE');
  });

  it('does not end for what it cannot find out of a peer', async () => {
    const told = await running(`
      const { faultOfRoute } = await module('route.ts');
      hold(0);
      const first = await faultOfRoute('127.0.0.1', 9) ?? 'none';
      free();
      console.log(JSON.stringify([first, await faultOfRoute('127.0.0.1', 9) ?? 'none']));`);
    assert.deepEqual(told, ['none', 'none']);
  });
});
