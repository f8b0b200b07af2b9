import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConnectFault, Listener } from '@tutti/protocol';
import { createSimulatedClock } from '@tutti/runtime';
import { Dealer } from 'zeromq';
import { pull } from '../compliance.js';
import { curveKeysOf } from '../key/job-key.js';
import { HANDSHAKE_MS } from '../tunables.js';
import { createZmqTransport } from './zmq-transport.js';

const key = Buffer.alloc(32, 7);
const other = Buffer.alloc(32, 8);

/** Connects and sends: `heard`, or why it was refused. */
async function meet(
  address: string,
  theirs: Uint8Array | undefined,
  ours: Uint8Array | undefined,
): Promise<{ client: string; fault: ConnectFault | undefined; server: readonly string[] }> {
  const server: string[] = [];
  let tell = () => {};
  let listener: Listener | undefined;
  const answer = new Promise<{ client: string; fault: ConnectFault | undefined }>((resolve) => {
    void createZmqTransport({ key: theirs })
      .listen(address, {
        message: () => resolve({ client: 'heard', fault: undefined }),
        stranger(reason) {
          server.push(reason);
          tell();
        },
      })
      .then((made) => {
        listener = made;
        createZmqTransport({ key: ours })
          .connect(made.address, {
            message() {},
            closed: (client, fault) => resolve({ client, fault }),
          })
          .send(pull(1));
      });
  });
  const { client, fault } = await answer;
  while (client !== 'heard' && server.length === 0)
    await new Promise<void>((resolve) => {
      tell = resolve;
    });
  await listener!.close(0);
  return { client, fault, server };
}

describe('a key', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-'));
  after(() => rmSync(folder, { recursive: true }));
  let paths = 0;

  for (const [kind, address] of [
    ['tcp', () => 'tcp://127.0.0.1:0'],
    ['ipc', () => `ipc://${folder}/${++paths}`],
  ] as const)
    describe(`over ${kind}`, () => {
      it('lets in whoever has the same', async () => {
        const { client, server } = await meet(address(), key, Buffer.from(key));
        assert.deepEqual([client, server], ['heard', []]);
      });

      it('keeps out whoever has another, and both sides say so', async () => {
        const { client, fault, server } = await meet(address(), key, other);
        assert.match(client, /it has another key/);
        assert.equal(fault?.kind, 'key');
        assert.match(fault!.remedy, /--key-file/);
        assert.match(server[0]!, /does not have the key of this job .*it has another key/);
      });

      it('keeps out whoever has none, and both sides say so', async () => {
        const { client, fault, server } = await meet(address(), key, undefined);
        assert.match(client, /it wants the key of its job, and there is none here/);
        assert.equal(fault?.kind, 'key');
        assert.match(
          server.join(),
          /(does not have|has not shown) the key of this job .*it has no key/,
        );
      });

      it('is no way to a job without one, and both sides say so', async () => {
        const { client, fault, server } = await meet(address(), undefined, key);
        assert.match(client, /it has no key, and there is one here/);
        assert.equal(fault?.kind, 'key');
        assert.match(server.join(), /has a key where this job has none/);
      });
    });

  it('of two jobs in one process opens each of them alone', async () => {
    const listen = async (key: Uint8Array) => {
      let heard = () => {};
      const said = new Promise<void>((resolve) => {
        heard = resolve;
      });
      const handlers = { message: () => heard() };
      const listener = await createZmqTransport({ key }).listen('tcp://127.0.0.1:0', handlers);
      return { listener, said };
    };
    const [one, two] = [await listen(key), await listen(other)];
    const connect = (address: string, key: Uint8Array, closed = (_: string) => {}) => {
      const connection = createZmqTransport({ key }).connect(address, { message() {}, closed });
      connection.send(pull(1));
      return connection;
    };
    const refused = await new Promise<string>((resolve) => {
      connect(one.listener.address, other, resolve);
    });
    assert.match(refused, /another key/);
    const connections = [connect(one.listener.address, key), connect(two.listener.address, other)];
    await Promise.all([one.said, two.said]);
    // The one that goes away does not open the other, nor shut it.
    await one.listener.close(0);
    const late = new Promise<string>((resolve) => {
      connections.push(connect(two.listener.address, key, resolve));
    });
    assert.match(await late, /another key/);
    await Promise.all(connections.map((connection) => connection.close(0)));
    await two.listener.close(0);
  });

  it('of a client that has the public key of the server is not enough', async () => {
    const refused: string[] = [];
    let told = () => {};
    const refusal = new Promise<void>((resolve) => {
      told = resolve;
    });
    const listener = await createZmqTransport({ key }).listen('tcp://127.0.0.1:0', {
      message: () => assert.fail('it was let in'),
      stranger(reason) {
        refused.push(reason);
        told();
      },
    });
    const { server } = curveKeysOf(key);
    const { client } = curveKeysOf(other);
    const peer = new Dealer({
      linger: 0,
      curveServerKey: server.publicKey,
      curvePublicKey: client.publicKey,
      curveSecretKey: client.secretKey,
    });
    peer.connect(listener.address);
    await peer.send(['hello']);
    await refusal;
    assert.match(refused[0]!, /it has another key/);
    peer.close();
    await listener.close(0);
  });

  it('is not held against what only hangs up, which may be a proxy with nobody behind it', async () => {
    const clock = createSimulatedClock();
    const proxy = createServer((socket) => socket.destroy());
    await once(proxy.listen(0, '127.0.0.1'), 'listening');
    const { port } = proxy.address() as { port: number };
    const kinds: string[] = [];
    const reason = await new Promise<string>((resolve) => {
      createZmqTransport({ key, clock, connectDeadlineMs: 60_000 }).connect(
        `tcp://127.0.0.1:${port}`,
        {
          message() {},
          unreached({ kind }) {
            kinds.push(kind);
            // After the pause that follows it.
            setImmediate(() => clock.advance(kinds.length === 3 ? 60_000 : 50));
          },
          closed: resolve,
        },
      );
    });
    assert.deepEqual(new Set(kinds), new Set(['foreign']));
    assert.match(reason, /could not be reached within 60 s/);
    proxy.close();
  });

  it('is not held against what hangs up late: it may have had no time for the handshake', async () => {
    const clock = createSimulatedClock();
    let connections = 0;
    const greeting = Buffer.alloc(64);
    greeting.set([0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3]);
    greeting.write('CURVE', 12);
    const busy = createServer((socket) => {
      socket.on('error', () => {});
      // Each handshake takes too long; whoever asks for the mechanism behind it is told.
      if (connections++ % 2 === 1) socket.end(greeting);
      else
        socket.once('data', () => {
          clock.advance(HANDSHAKE_MS);
          socket.destroy();
        });
    });
    await once(busy.listen(0, '127.0.0.1'), 'listening');
    const { port } = busy.address() as { port: number };
    const told: string[] = [];
    const connection = createZmqTransport({ key, clock, connectDeadlineMs: 60_000 });
    const closed = await new Promise<string>((resolve) => {
      connection.connect(`tcp://127.0.0.1:${port}`, {
        message() {},
        unreached({ kind, reason }) {
          if (!reason.includes('hung up')) return;
          told.push(`${kind}: ${reason}`);
          setImmediate(() => clock.advance(told.length === 3 ? 60_000 : 50));
        },
        closed: resolve,
      });
    });
    for (const line of told)
      assert.match(line, /^silent: .* hung up after 3\.0 s without an answer$/);
    assert.match(closed, /could not be reached within 60 s/);
    busy.close();
  });

  it('never derives to other pairs than those of today, or old and new processes part', () => {
    const { server, client, domain } = curveKeysOf(key);
    assert.notEqual(server.secretKey, client.secretKey);
    assert.deepEqual(
      { server: server.publicKey, client: client.publicKey, domain },
      {
        server: 'BJNiD<9Z-v.O%Dp}WMMDB>MmI<+^MT/&TpMzWPV[',
        client: 'PDeXC@72M(Rq5MVdVVu5i@R+jA/q6#qHpUNpHEWL',
        domain: 'cde0e38b6ee40c7e43e800da9645c601',
      },
    );
  });
});

describe('without a key', () => {
  for (const address of ['tcp://*:0', 'tcp://0.0.0.0:0', 'tcp://[::]:0'])
    it(`${address} is not listened at, unless told so`, async () => {
      const handlers = { message() {} };
      await assert.rejects(createZmqTransport().listen(address, handlers), {
        code: 'BAD_CONFIG',
        message: /Without a key Tutti does not listen at/,
        remedy: /tutti keys job\.key.*--key-file job\.key.*--insecure/s,
      });
      const insecure = await createZmqTransport({ insecure: true }).listen(address, handlers);
      const guarded = await createZmqTransport({ key }).listen(address, handlers);
      await Promise.all([insecure.close(0), guarded.close(0)]);
    });

  const [loopback] = Object.entries(networkInterfaces()).find(([, all]) => all![0]!.internal)!;
  for (const address of [
    'tcp://127.0.0.1:0',
    'tcp://127.1.2.3:0',
    'tcp://localhost:0',
    `tcp://${loopback}:0`,
  ])
    it(`${address} is listened at`, async () => {
      const listener = await createZmqTransport().listen(address, { message() {} });
      await listener.close(0);
    });
});
