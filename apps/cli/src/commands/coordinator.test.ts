import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { inTemporaryFolder, LINE, listening, tutti } from '../testing.js';

describe('tutti coordinator, server and worker', () => {
  const anyPort = ['--json', '--listen', 'tcp://127.0.0.1:0'];

  async function digestOf(folder: string, serverArguments: string[]): Promise<unknown> {
    const { address, ran } = await listening(
      ['coordinator', '--workers', '2', '--checkpoint-dir', folder].concat(
        anyPort,
        serverArguments,
      ),
    );
    const workers = await Promise.all([
      tutti(['worker', LINE, '--json', '--rank', '0', '--coordinator', address]),
      tutti(['worker', LINE, '--json'], {
        environment: { RANK: '1', TUTTI_COORDINATOR: address },
      }),
    ]);
    const coordinator = await ran;
    assert.equal(coordinator.code, 0, coordinator.stderr);
    workers.forEach(({ code, stderr, json }, rank) => {
      assert.equal(code, 0, stderr);
      const { microBatches, at, job, ...last } = json().at(-1)!;
      assert.deepEqual(last, { event: 'finished', worker: `w${rank}` });
      assert.ok(typeof at === 'number' && typeof job === 'string');
      assert.ok(Number(microBatches) > 0);
    });
    return coordinator.json().at(-1)!.digest;
  }

  it('train to the same digest as one process, with servers of their own or a hosted one', () =>
    inTemporaryFolder(async (folder) => {
      const alone = await tutti([
        'train',
        LINE,
        '--json',
        '--workers',
        '0',
        '--checkpoint-dir',
        folder,
      ]);
      const expected = alone.json().at(-1)!.digest;
      assert.equal(await digestOf(folder, []), expected);
      const servers = await Promise.all([
        listening(['server', ...anyPort]),
        listening(['server', ...anyPort]),
      ]);
      const addresses = servers.map(({ address }) => address).join(',');
      assert.equal(await digestOf(folder, ['--server-addresses', addresses]), expected);
      for (const { ran } of servers) assert.equal((await ran).code, 0);
    }));

  it('begin with the weights of an earlier run, and another optimizer setting', () =>
    inTemporaryFolder(async (folder) => {
      const first = ['train', LINE, '--json', '--workers', '0', '--checkpoint-dir'];
      await tutti([...first, join(folder, 'first')]);
      const from = ['--from', join(folder, 'first'), '--learning-rate', '0.5'];
      const alone = await tutti([...first, join(folder, 'alone'), ...from]);
      const expected = alone.json().at(-1)!.digest;
      assert.equal(await digestOf(join(folder, 'apart'), from), expected);
    }));

  it('train over IPv6 alone, whose addresses have brackets or not', function () {
    const all = Object.values(networkInterfaces()).flat();
    if (!all.some((one) => one?.address === '::1')) return this.skip();
    return inTemporaryFolder(async (folder) => {
      const keyFile = join(folder, 'job.key');
      await tutti(['keys', keyFile]);
      for (const [advertise, host] of [
        ['::1', '::1'],
        ['[::1]', '[::1]'],
      ] as const) {
        const { address, ran } = await listening(
          ['coordinator', '--json', '--workers', '1', '--checkpoint-dir', folder].concat(
            ...['--listen', 'tcp://*:0', '--advertise', advertise, '--key-file', keyFile],
          ),
        );
        const MASTER_PORT = /\d+$/.exec(address)![0];
        const environment = { MASTER_ADDR: host, MASTER_PORT, TUTTI_KEY_FILE: keyFile };
        const worker = await tutti(['worker', LINE], { environment });
        assert.equal(worker.code, 0, worker.stderr);
        const coordinator = await ran;
        assert.equal(coordinator.code, 0, coordinator.stderr);
      }
    });
  });

  it('name a name that leads nowhere, and how long the worker looked for it', async () => {
    const patience = ['--connect-deadline-ms', '1'];
    const nowhere = ['--coordinator', 'tcp://nobody.invalid:29500'];
    const { code, json, stderr } = await tutti(['worker', LINE, '--json', ...nowhere, ...patience]);
    assert.equal(code, 1);
    const { message, remedy } = json().at(-1)!;
    assert.match(
      String(message),
      /No coordinator answered at tcp:\/\/nobody\.invalid:29500 within 0\.001 s: the name nobody\.invalid /,
    );
    assert.match(String(remedy), /--connect-deadline-ms/);
    assert.ok(stderr.includes('nobody.invalid'));
  });

  it('name a port that is in use, and exit with 1', async () => {
    const stop = new AbortController();
    const { address, ran } = await listening(['server', ...anyPort], { signal: stop.signal });
    const { code, json, stderr } = await tutti(['server', '--json', '--listen', address]);
    assert.equal(code, 1);
    assert.equal(json().at(-1)!.code, 'ADDRESS_UNAVAILABLE');
    assert.ok(stderr.includes(address));
    stop.abort();
    assert.equal((await ran).code, 130);
  });
});
